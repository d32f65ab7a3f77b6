#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <rwkv/core/quantise.hpp>
#include <rwkv/io/open_source.hpp>
#include <rwkv/io/write_gguf.hpp>
#include <rwkv/io/write_rwkv_cpp.hpp>
#include <rwkv/io/write_safetensors.hpp>

#include "golden_tensors.hpp"

using namespace rwkv;

namespace {

const std::string golden = RWKV_TESTS_DIR "/golden/", shared = RWKV_SHARED_DIR "/data/";
constexpr Storage kinds[] = {Storage::q4_0, Storage::q4_1, Storage::q5_0, Storage::q5_1, Storage::q8_0};

bool same(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}
std::string content(const std::string& path) {
  return std::string(MappedFile(path).text());
}

}  // namespace

TEST_CASE("blocks are those of the gguf package, to the bit") {
  const SafetensorsFile file(test::golden_files + "quantise_expected.safetensors");
  const auto numbers = test::numbers_of(file, *file.find("numbers"));
  for (const Storage kind : kinds) {
    INFO(name_of(kind));
    std::vector<std::byte> blocks(std::size_t(bytes_of(kind, dim_t(numbers.size()))));
    encode<float>(kind, numbers, blocks.data());
    CHECK(same(blocks, *file.bytes(*file.find(name_of(kind)))));
  }
}

TEST_CASE("a quantised .bin is what rwkv.cpp makes of the same numbers, byte for byte") {
  const test::Folder folder;
  struct Pair {
    const char *from, *to;
    Dtype dtype;
  };
  for (const Pair& pair :
       {Pair{"4v0-660K-FP32", "4v0-660K-Q5_1", Dtype::q5_1}, Pair{"7v0-834K-FP32", "7v0-834K-Q5_0", Dtype::q5_0}}) {
    const std::string tiny = shared + "rwkv-tiny/tiny-rwkv-", from = tiny + pair.from + ".bin";
    if (!std::filesystem::exists(from)) {
      MESSAGE("skipped: there is no ", from);
      continue;
    }
    INFO(pair.to);
    write_rwkv_cpp(*open_source(from), folder / "bin", pair.dtype);
    CHECK(content(folder / "bin") == content(tiny + pair.to + ".bin"));
  }
}

TEST_CASE("quantised files hold the blocks of the tensors that their readers multiply by") {
  const test::Folder folder;
  const std::string from = shared + "rwkv-files/gguf/g7-F32.gguf";
  if (!std::filesystem::exists(from)) {
    MESSAGE("skipped: there is no ", from);
    return;
  }
  const auto source = open_source(from);
  for (const Dtype dtype : {Dtype::q8_0, Dtype::q4_0}) {
    write_gguf(*source, folder / "gguf", {.matrices = dtype, .name = "", .tokens = {}});
    const auto file = open_source(folder / "gguf");
    CHECK(file->find("token_embd.weight")->dtype == Dtype::f32);
    CHECK(file->find("blk.1.time_mix_w1.weight")->dtype == Dtype::f32);
    CHECK(file->find("blk.1.time_mix_r_k.weight")->dtype == Dtype::f32);
    for (const char* name : {"output.weight", "blk.0.time_mix_key.weight", "blk.1.channel_mix_value.weight"}) {
      const TensorInfo& t = *file->find(name);
      CHECK(t.dtype == dtype);
      const auto numbers = test::numbers_of(*source, *source->find(name));
      std::vector<std::byte> blocks(file->bytes(t)->size());
      encode<float>(detail::block_storage(dtype), numbers, blocks.data());
      CHECK(same(blocks, *file->bytes(t)));
    }
    write_gguf(*source, folder / "gguf", {.matrices = dtype, .embedding = true, .name = "", .tokens = {}});
    CHECK(open_source(folder / "gguf")->find("token_embd.weight")->dtype == dtype);
    write_gguf(*open_source(folder / "gguf"), folder / "again", {.matrices = dtype, .name = "", .tokens = {}});
  }
}

TEST_CASE("what cannot be quantised is an error that names it, and no file appears") {
  const test::Folder folder;
  const auto narrow = open_source(golden + "rwkv7.safetensors");
  const std::string words = test::message<Error>([&] { write_rwkv_cpp(*narrow, folder / "no", Dtype::q8_0); });
  CHECK_MESSAGE(words.find("expected rows of whole blocks of 32 to store it as Q8_0, found (") != words.npos, words);
  CHECK(!test::message<Error>([&] {
           write_gguf(*narrow, folder / "no", {.matrices = Dtype::q8_0, .name = "", .tokens = {}});
         }).empty());
  CHECK(!std::filesystem::exists(folder / "no"));
  CHECK(test::message<Error>([&] { write_rwkv_cpp(*narrow, folder / "no", Dtype::q4_k); }) ==
        "rwkv.cpp's .bin has no Q4_K; store numbers as F32, F16 or quantised");
  const auto is = test::message<Error>([&] { write_safetensors(*narrow, folder / "no", {}, Dtype::q8_0); });
  CHECK_MESSAGE(is.find("safetensors has no Q8_0") != is.npos, is);
}
