#include <cmath>

#include <rwkv/io/open_source.hpp>
#include <rwkv/io/write_gguf.hpp>
#include <rwkv/io/write_rwkv_cpp.hpp>
#include <rwkv/io/write_safetensors.hpp>

#include "folder.hpp"

using namespace rwkv;

namespace {

const std::string golden = RWKV_TESTS_DIR "/golden/";

std::vector<float> numbers(const TensorSource& source, const TensorInfo& t) {
  std::vector<float> all(*byte_size(Dtype::u8, t.shape));
  source.read_numbers(t, 0, all);
  return all;
}
/// The official tensors of two files, whatever their layouts, are the same; decays and 5.0's time_first, which a format
/// may store otherwise, may differ by so much.
void check_same(const std::string& one, const std::string& other, double by = 0) {
  const auto a = open_source(one), b = open_source(other);
  const OfficialSource ours(*a), theirs(*b);
  CHECK(ours.tensors().size() == theirs.tensors().size());
  for (const TensorInfo& t : ours.tensors()) {
    INFO(t.name);
    const TensorInfo* found = theirs.find(t.name);
    REQUIRE(found != nullptr);
    CHECK(found->shape == t.shape);
    const auto x = numbers(ours, t), y = numbers(theirs, *found);
    double most = 0;
    for (std::size_t i = 0; i < x.size(); ++i) most = std::max(most, std::abs(double(x[i]) - double(y[i])));
    CHECK(most <= (t.name.ends_with(".time_decay") || t.name.ends_with(".time_first") ? by : 0));
  }
}
std::string content(const std::string& path) {
  return std::string(MappedFile(path).text());
}

}  // namespace

TEST_CASE("a model in any layout is written as safetensors under the official names") {
  const test::Folder folder;
  write_safetensors(*open_source(golden + "layouts/gguf6.safetensors"), folder / "a", {{"tokenizer", "bytes"}});
  check_same(folder / "a", golden + "rwkv6.safetensors");
  const auto file = open_source(folder / "a");
  CHECK(file->metadata() == Metadata{{"tokenizer", "bytes"}});
  CHECK(file->tensors()[1].name == "blocks.0.ln1.weight");
  CHECK(file->tensors()[0].called.empty());

  write_safetensors(*file, folder / "half", {}, Dtype::f16);
  const auto half = open_source(folder / "half");
  for (const TensorInfo& t : file->tensors()) {
    const TensorInfo* found = half->find(t.name);
    REQUIRE((found != nullptr && found->dtype == Dtype::f16));
    const auto x = numbers(*file, t), y = numbers(*half, *found);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(y[i] == from_f16(to_f16(double(x[i]))));
  }
}

TEST_CASE("a number that 16 bits cannot hold is an error with its tensor, and no file appears") {
  const test::Folder folder;
  SafetensorsWriter writer;
  const std::vector<float> some{1, 70000, 2};
  writer.add("weight", {3}, std::span<const float>(some));
  writer.write(folder / "a");
  const std::string found =
      test::message<Error>([&] { write_safetensors(*open_source(folder / "a"), folder / "b", {}, Dtype::f16); });
  CHECK(found == (folder / "a") + ": weight: number 1 is 70000, which is beyond F16; store it as F32 or BF16");
  CHECK(!test::message<Error>([&] { open_source(folder / "b"); }).empty());
  write_safetensors(*open_source(folder / "a"), folder / "b", {}, Dtype::bf16);
  SafetensorsWriter huge;
  const std::vector<double> one{1e300};
  huge.add("weight", {1}, std::span<const double>(one));
  huge.write(folder / "a");
  CHECK(test::message<Error>([&] { write_safetensors(*open_source(folder / "a"), folder / "c", {}, Dtype::bf16); }) ==
        (folder / "a") + ": weight: number 0 is 1e+300, which is beyond BF16; what made it had gone wrong");
}

TEST_CASE("a tensor of a dtype that we do not know is not written, and no file appears") {
  const test::Folder folder;
  const std::string header = R"({"a":{"dtype":"F128","shape":[1],"data_offsets":[0,16]}})";
  const std::uint64_t size = header.size();
  test::write(folder / "a", std::string(reinterpret_cast<const char*>(&size), 8) + header + std::string(16, '\1'));
  CHECK(test::message<Error>([&] { write_safetensors(*open_source(folder / "a"), folder / "b", {}); }) ==
        (folder / "a") + ": a: expected a dtype that we know, found F128; store it as another");
  CHECK(!test::message<Error>([&] { open_source(folder / "b"); }).empty());
}

TEST_CASE("rwkv.cpp's files of models read back as the same, and are the same when they are written again") {
  const test::Folder folder;
  for (const char* model : {"rwkv4", "rwkv5_0", "rwkv5_1", "rwkv5_2", "rwkv6", "rwkv7"}) {
    INFO(model);
    const std::string from = golden + model + ".safetensors";
    const bool changed = from.find("v4") != from.npos || from.find("v5") != from.npos;
    write_rwkv_cpp(*open_source(from), folder / "bin");
    check_same(folder / "bin", from, changed ? 1e-4 : 0);
    write_safetensors(*open_source(folder / "bin"), folder / "back", {});
    write_rwkv_cpp(*open_source(folder / "back"), folder / "again");
    CHECK(content(folder / "bin") == content(folder / "again"));

    write_rwkv_cpp(*open_source(from), folder / "half", Dtype::f16);
    const auto half = open_source(folder / "half");
    for (const TensorInfo& t : half->tensors()) {
      const bool fp32 = t.shape.size() == 1 || t.name.find(".time_") != t.name.npos ||
                        t.name.find(".x_") != t.name.npos || t.name.find("_k") + 2 == t.name.size() ||
                        t.name.ends_with("k_a") || t.name.ends_with("0");
      CHECK_MESSAGE(t.dtype == (fp32 ? Dtype::f32 : Dtype::f16), t.name);
    }
  }
  CHECK(test::message<Error>([&] {
          write_rwkv_cpp(*open_source(golden + "layouts/gpt2.safetensors"), folder / "no");
        }).find("expected RWKV-4 to RWKV-7") != std::string::npos);
}

TEST_CASE("decays as rwkv.cpp stores them come back to the last bit") {
  using namespace namings::detail;
  struct Pair {
    double (*back)(double), (*number)(double);
  };
  for (const Pair& pair :
       {Pair{negative_exp, of_negative_exp}, Pair{fading, of_fading}, Pair{exponential, of_exponential}}) {
    int mistakes = 0;
    for (int i = 0; i < 20'000; ++i) {
      const float p = -9 + 0.00055f * float(i), stored = float(pair.back(double(p)));
      mistakes += float(pair.back(double(float(pair.number(double(stored)))))) != stored;
    }
    CHECK(mistakes == 0);
    for (const float p : {-1000.f, -105.f, -30.f, -18.f, 4.7f, 8.f, 89.f, 1000.f}) {  // stored as 0, 1 or infinity
      CAPTURE(p);
      const float stored = float(pair.back(double(p))), found = float(pair.number(double(stored)));
      CHECK(std::isfinite(found));
      CHECK(float(pair.back(double(found))) == stored);
    }
  }
}

TEST_CASE("GGUFs of models read back as the same, with their vocabulary") {
  const test::Folder folder;
  std::vector<std::string> tokens{""};
  for (const char* token : {"\t", "'", "\"'", "\xFF\n", "\\", " a"}) tokens.push_back(python_escaped(token));
  for (const char* model : {"rwkv6", "rwkv7"}) {
    const std::string from = golden + model + ".safetensors";
    write_gguf(*open_source(from), folder / "a", {.matrices = Dtype::f32, .name = "small", .tokens = tokens});
    check_same(folder / "a", from);
    const GgufFile file(folder / "a");
    const std::string a = file.metadata().at("general.architecture");
    CHECK(a == (model == std::string("rwkv6") ? "rwkv6" : "rwkv7"));
    CHECK(file.metadata().at("general.name") == "small");
    for (const auto& [key, value] : std::map<std::string, std::string>{{".embedding_length", "8"},
                                                                       {".block_count", "2"},
                                                                       {".feed_forward_length", "12"},
                                                                       {".wkv.head_size", "4"},
                                                                       {".attention.head_count", "0"},
                                                                       {".context_length", "1048576"}})
      CHECK(file.metadata().at(a + key) == value);
    const auto texts = file.value("tokenizer.ggml.tokens")->texts();
    REQUIRE(texts.size() == 19);
    CHECK(texts[0] == "<s>");
    CHECK(texts[1] == "\\t");
    CHECK(texts[2] == "'");
    CHECK(texts[3] == "\"\\'");
    CHECK(texts[4] == "\\xff\\n");
    CHECK(texts[5] == "\\\\");
    CHECK(texts[18] == "[PAD18]");
    CHECK(file.value("tokenizer.ggml.token_type")->numbers()[6] == 1);
    CHECK(file.value("tokenizer.ggml.token_type")->numbers()[7] == 5);
    CHECK(file.find("output.weight")->begin % 32 == 0);
  }
  tokens.resize(262, "a");
  tokens[261] = "\\n\\n";  // ends an answer, where the model has so many
  write_gguf(*open_source(golden + "rwkv7.safetensors"), folder / "a",
             {.matrices = Dtype::f32, .name = {}, .tokens = tokens});
  CHECK(GgufFile(folder / "a").value("tokenizer.ggml.eot_token_id") == nullptr);
  const GgufFile file(folder / "a");
  CHECK(numbers(file, *file.find("blk.0.time_mix_v1.weight")) == numbers(file, *file.find("blk.0.time_mix_a1.weight")));
  for (const Dtype dtype : {Dtype::f16, Dtype::bf16}) {
    write_gguf(*open_source(golden + "rwkv7.safetensors"), folder / "b", {.matrices = dtype, .name = {}, .tokens = {}});
    const GgufFile half(folder / "b");
    CHECK(half.find("blk.1.time_mix_g2.weight")->dtype == dtype);
    CHECK(half.find("token_embd.weight")->dtype == dtype);
    for (const char* name :
         {"blk.1.time_mix_w2.weight", "blk.1.time_mix_r_k.weight", "blk.1.time_mix_lerp_fused.weight"})
      CHECK(half.find(name)->dtype == Dtype::f32);
  }
  CHECK(test::message<Error>([&] {
          write_gguf(*open_source(golden + "rwkv4.safetensors"), folder / "no", {});
        }).find("expected RWKV-6 or RWKV-7") != std::string::npos);
}
