#include <rwkv/io/finite.hpp>
#include <rwkv/io/gguf_file.hpp>

#include "../fuzz/memory_file.hpp"
#include "gguf.hpp"
#include "golden_tensors.hpp"

using namespace rwkv;
using test::bytes_of;
using test::gguf::File;
using test::gguf::key;
using test::gguf::tensor;
using test::gguf::text;

namespace {

std::string complaint(const std::string& path) {
  return test::message<Error>([&] {
    const GgufFile file(path);
    for (const TensorInfo& t : file.tensors())
      if (is_real(t.dtype)) test::numbers_of(file, t);
  });
}
std::string complaint(const std::string& path, const std::string& bytes) {
  test::write(path, bytes);
  return complaint(path);
}
std::string with_key(const std::string& one) {
  return File{.key_count = 1, .keys = one}.bytes();
}
std::string with_tensor(const std::string& one, std::size_t data = 64) {
  return File{.tensor_count = 1, .tensors = one, .data = data}.bytes();
}

}  // namespace

TEST_CASE("a GGUF file gives the numbers that the gguf package reads, to the bit, whatever its tensors' types") {
  const GgufFile file(test::golden_files + "all.gguf");
  CHECK(test::check_golden(file, "quantised_expected.safetensors", "all.gguf") == 16);
  CHECK(file.find("Q4_K")->dtype == Dtype::q4_k);
  CHECK(file.bytes(*file.find("Q4_K"))->size() == 2 * 2 * 144);
  CHECK(file.bytes(*file.find("Q8_0"))->size() == 4 * 2 * 34);
}

TEST_CASE("any part of a quantised tensor is read") {
  const GgufFile file(test::golden_files + "all.gguf");
  for (const char* name : {"Q4_0", "Q5_1", "Q8_0", "Q6_K"}) {
    INFO(name);
    const TensorInfo& t = *file.find(name);
    const std::vector<float> all = test::numbers_of(file, t);
    for (const std::size_t first : {0u, 1u, 31u, 32u, 33u, 100u, unsigned(all.size())})
      for (const std::size_t n : {0u, 1u, 31u, 32u, 64u, 65u}) {
        std::vector<double> some(std::min(n, all.size() - first));
        file.read_numbers(t, first, std::span(some));
        CHECK(std::equal(some.begin(), some.end(), all.begin() + std::ptrdiff_t(first)));
      }
    std::vector<float> read(all.size());
    file.read(name, t.shape, std::span(read));
    CHECK(read == all);
  }
}

TEST_CASE("GGUF's scalars are metadata, its arrays values") {
  const GgufFile file(test::golden_files + "all.gguf");
  CHECK(file.metadata() == Metadata{{"bool", "true"},
                                    {"eps", "9.99999975e-06"},
                                    {"f64", number_text(0.1, 17)},
                                    {"general.architecture", "rwkv7"},
                                    {"general.name", "a small caf\u00e9"},
                                    {"i16", "-30000"},
                                    {"i32", "-5"},
                                    {"i64", "-4611686018427387904"},
                                    {"i8", "-100"},
                                    {"rwkv7.block_count", "3"},
                                    {"u16", "60000"},
                                    {"u64", "9223372036854775808"},
                                    {"u8", "200"}});
  const GgufValue* tokens = file.value("tokenizer.ggml.tokens");
  REQUIRE(tokens != nullptr);
  CHECK(tokens->array);
  CHECK(tokens->texts() == std::vector<std::string_view>{"<s>", "\\x00", "", "caf\u00e9"});
  CHECK(tokens->numbers().empty());
  CHECK(tokens->text().empty());
  CHECK(file.value("numbers")->numbers() == std::vector<double>{1, -2, 300000});
  CHECK(file.value("numbers")->texts().empty());
  CHECK(file.value("reals")->numbers() == std::vector<double>{0.5, -1.5});
  CHECK(file.value("bools")->numbers() == std::vector<double>{1, 0});
  CHECK(file.value("general.name")->texts() == std::vector<std::string_view>{"a small caf\u00e9"});
  CHECK(file.value("eps")->numbers() == std::vector<double>{double(1e-5f)});
  CHECK(file.value("none") == nullptr);
}

TEST_CASE("NaN and infinities are found among quantised numbers") {
  const test::Folder folder;
  std::string bytes = with_tensor(tensor("a", {64}, 8, 0), 68);
  bytes[bytes.size() - 33] = '\x7C';  // of the second scale
  CHECK(complaint(folder / "a", bytes) == "");
  const GgufFile file(folder / "a");
  CHECK(first_nonfinite(file, *file.find("a")) == 32);
  const GgufFile sound(test::golden_files + "all.gguf");
  for (const TensorInfo& t : sound.tensors()) CHECK(first_nonfinite(sound, t) == -1);
}

TEST_CASE("another alignment, version 2, and no data") {
  const test::Folder folder;
  const std::string path = folder / "a", aligned = key("general.alignment", 4, std::uint32_t(8));
  const std::string tensors = tensor("b", {2}, 0, 8) + tensor("a", {2}, 0, 0);
  CHECK(complaint(path, File{.key_count = 1,
                             .keys = aligned,
                             .tensor_count = 2,
                             .tensors = tensors,
                             .data = 16,
                             .alignment = 8,
                             .version = 2}
                            .bytes()) == "");
  const GgufFile file(path);
  CHECK(file.tensors()[0].name == "a");
  CHECK(test::numbers_of(file, *file.find("b")).size() == 2);
  CHECK(complaint(path, File{}.bytes()) == "");
  CHECK(complaint(path, with_tensor(tensor("a", {2, 3, 0}, 0, 0), 0)) == "");
  CHECK(GgufFile(path).find("a")->shape == std::vector<dim_t>{0, 3, 2});
}

TEST_CASE("a GGUF file that is not sound is refused with the reason") {
  const test::Folder folder;
  const std::string path = folder / "a";
  struct Case {
    std::string bytes, reason;
  };
  constexpr std::uint64_t huge = std::uint64_t(1) << 63;
  const auto array = [](std::uint32_t type, std::uint64_t count) {
    return text("k") + bytes_of(std::uint32_t(9)) + bytes_of(type) + bytes_of(count);
  };
  const auto two = [](const std::string& a, const std::string& b) {
    return File{.tensor_count = 2, .tensors = a + b, .data = 64}.bytes();
  };
  const std::string alignment = "general.alignment";
  const Case cases[] = {
      {"", "expected it to begin with \"GGUF\", found something else"},
      {"GGUG", "expected it to begin with \"GGUF\""},
      {"GGUF", "the header is cut short at byte 4"},
      {File{.version = 1}.bytes(), "expected version 2 or 3, found 1"},
      {File{.version = 4}.bytes(), "expected version 2 or 3, found 4"},
      {File{.version = 3u << 24}.bytes(), "expected numbers with their lowest byte first, found the highest"},
      {File{.key_count = huge}.bytes(), "the header: expected 65536 keys at most, found 9223372036854775808"},
      {File{.key_count = 1, .alignment = 1}.bytes(), "the key at byte 24 is cut short"},
      {File{.tensor_count = huge, .alignment = 1}.bytes(), "the tensor at byte 24 is cut short"},
      {with_key(bytes_of(huge)),
       "the key at byte 24: a text would have 9223372036854775808 bytes, but the file ends after 0"},
      {with_key(key("k", 13, 0)), "key \"k\": expected a type from 0 to 12, found 13"},
      {with_key(key("k", 8, huge)), "key \"k\": a text would have 9223372036854775808 bytes"},
      {with_key(array(0, huge)), "key \"k\": 9223372036854775808 values take more than the"},
      {with_key(array(8, huge / 4)), "key \"k\": 2305843009213693952 values take more than the"},
      {with_key(array(12, huge / 4 + 1)), "key \"k\": 2305843009213693953 values take more than the"},
      {with_key(array(9, 1)), "key \"k\": expected an array of numbers or texts, found one of arrays"},
      {with_key(array(77, 1)), "key \"k\": expected a type from 0 to 12, found 77"},
      {with_key(array(8, 1) + bytes_of(huge)), "key \"k\": a text would have 9223372036854775808 bytes"},
      {File{.key_count = 2, .keys = key("k", 0, 'a') + key("k", 0, 'b')}.bytes(), "key \"k\" occurs twice"},
      {with_key(key(alignment, 10, std::uint64_t(32))),
       "general.alignment: expected a number of 32 bits, found another type"},
      {with_key(text(alignment) + bytes_of(9u) + bytes_of(4u) + bytes_of(std::uint64_t(0))),
       "general.alignment: expected a number of 32 bits"},
      {with_key(key(alignment, 4, 0u)), "general.alignment: expected a power of two, found 0"},
      {with_key(key(alignment, 4, 48u)), "general.alignment: expected a power of two, found 48"},
      {File{.key_count = 1,
            .keys = key(alignment, 4, 1u << 31),
            .tensor_count = 1,
            .tensors = tensor("a", {2}, 0, 0),
            .data = 64}
           .bytes(),
       "tensor \"a\": bytes 0 to 8 reach beyond the 0 bytes of data"},
      {with_tensor(tensor("", {2}, 0, 0)), "the tensor at byte 24 has no name"},
      {with_tensor(tensor("a", {}, 0, 0)), "tensor \"a\": expected 1 to 4 extents, found 0"},
      {with_tensor(tensor("a", {1, 1, 1, 1, 1}, 0, 0)), "tensor \"a\": expected 1 to 4 extents, found 5"},
      {with_tensor(tensor("a", {huge}, 0, 0)), "tensor \"a\" has an extent beyond 63 bits"},
      {with_tensor(tensor("a", {(std::uint64_t(1) << 42) + 1, 1 << 22}, 0, 0)),
       "tensor \"a\": shape (4194304, 4398046511105) is too large to count"},
      {with_tensor(tensor("a", {32, huge / 16}, 8, 0)),
       "tensor \"a\": shape (576460752303423488, 32) is too large to count"},
      {with_tensor(tensor("a", {48}, 8, 0)), "tensor \"a\": Q8_0 (48) has rows that are no whole blocks of 32"},
      {with_tensor(tensor("a", {128, 2}, 12, 0)),
       "tensor \"a\": Q4_K (2, 128) has rows that are no whole blocks of 256"},
      {with_tensor(tensor("a", {256}, 10, 0)),
       "tensor \"a\": expected F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K or Q6_K, found Q2_K"},
      {with_tensor(tensor("a", {256}, 39, 0)),
       "tensor \"a\": expected F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K or Q6_K, found MXFP4"},
      {with_tensor(tensor("a", {256}, 99, 0)), "tensor \"a\": no type of ggml is known that has the code 99"},
      {with_tensor(tensor("a", {17}, 0, 0)), "tensor \"a\": bytes 0 to 68 reach beyond the 64 bytes of data"},
      {with_tensor(tensor("a", {2}, 0, 64)), "tensor \"a\": bytes 64 to 72 reach beyond the 64 bytes of data"},
      {with_tensor(tensor("a", {2}, 0, 4)), "tensor \"a\": expected an offset that is a multiple of 32, found 4"},
      {with_tensor(tensor("a", {32}, 24, std::uint64_t(0) - 32)), "tensor \"a\": its place is too large to count"},
      {two(tensor("a", {2}, 0, 0), tensor("a", {2}, 0, 32)), "tensor \"a\" occurs twice"},
      {two(tensor("a", {9}, 0, 0), tensor("b", {2}, 0, 32)),
       "tensor \"b\": bytes 32 to 40 overlap the tensor before it, which ends at 36"},
      {two(tensor("a", {2}, 0, 0), tensor("b", {2}, 0, 0)),
       "tensor \"b\": bytes 0 to 8 overlap the tensor before it, which ends at 8"},
  };
  for (const Case& c : cases) {
    const std::string found = complaint(path, c.bytes);
    CHECK_MESSAGE(found.starts_with(path + ": " + c.reason), found, "\n  expected: ", c.reason);
    CHECK(found.find("; ") != std::string::npos);  // and the way out
  }
}

TEST_CASE("a GGUF file cut short anywhere before its last padding is refused") {
  const std::string whole = test::read(test::golden_files + "all.gguf");
  const GgufFile file(test::golden_files + "all.gguf");
  std::size_t data = 0;  // between the first and the last byte of a tensor
  for (const TensorInfo& t : file.tensors()) data = std::max<std::size_t>(data, t.end);
  const std::size_t padding = whole.size() % 32 == 0 ? (32 - data % 32) % 32 : 0;
  fuzz::MemoryFile cut;
  for (std::size_t n = 0; n + padding < whole.size(); ++n) {
    INFO("after ", n, " of ", whole.size(), " bytes");
    cut.hold(std::string_view(whole).substr(0, n));
    REQUIRE(complaint(cut.path()) != "");
  }
}
