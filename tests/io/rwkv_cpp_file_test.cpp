#include <rwkv/io/rwkv_cpp_file.hpp>

#include "golden_tensors.hpp"
#include "rwkv_cpp.hpp"

using namespace rwkv;

namespace {

using test::header;
using test::record;

std::string complaint(const std::string& path, const std::string& bytes) {
  test::write(path, bytes);
  return test::message<Error>([&] {
    const RwkvCppFile file(path);
    for (const TensorInfo& t : file.tensors()) {
      std::vector<float> numbers(file.bytes(t)->size() / bytes_of(t.dtype) * block_of(t.dtype));
      file.read(t.name, t.shape, std::span(numbers));
    }
  });
}
const std::string matrix = record("a", 0, {3, 2}, 24), halves = record("b.c", 1, {2}, 4);

}  // namespace

TEST_CASE("a .bin file lists its tensors, rows first, and gives their numbers") {
  const test::Folder folder;
  const float numbers[] = {1, 2, 3, 4, 5, 1e-3f};
  const std::uint16_t half[] = {0x3E00, 0xC000};
  std::string bytes = header() + matrix + halves;
  std::memcpy(&bytes[header().size() + matrix.size() - sizeof numbers], numbers, sizeof numbers);
  std::memcpy(&bytes[bytes.size() - sizeof half], half, sizeof half);
  test::write(folder / "a", bytes);
  const RwkvCppFile file(folder / "a");
  CHECK(file.metadata() == Metadata{{"n_embed", "8"}, {"n_layer", "2"}, {"n_vocab", "11"}});
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name == "a");
  CHECK(file.find("b.c")->dtype == Dtype::f16);
  std::vector<float> a(6), some(2);
  file.read("a", std::vector<dim_t>{2, 3}, std::span(a));
  CHECK(a == std::vector<float>(std::begin(numbers), std::end(numbers)));
  file.read_numbers(*file.find("a"), 3, std::span(some));
  CHECK(some == std::vector<float>{4, 5});
  std::vector<double> b(2);
  file.read("b.c", std::vector<dim_t>{2}, std::span(b));
  CHECK(b == std::vector<double>{1.5, -2});
  CHECK(complaint(folder / "a", header()).empty());  // no tensors
}

TEST_CASE("a quantised .bin file gives the numbers that the gguf package makes of its blocks, to the bit") {
  const RwkvCppFile file(test::golden_files + "all.bin");
  CHECK(test::check_golden(file, "quantised_expected.safetensors", "all.bin") == 5);
  CHECK(file.find("Q5_1")->dtype == Dtype::q5_1);
}

TEST_CASE("a .bin file that is not sound is refused with the reason") {
  const test::Folder folder;
  const std::string path = folder / "a";
  struct Case {
    std::string bytes, reason;
  };
  const std::uint32_t huge = 0xFFFFFFFF;
  const Case cases[] = {
      {"", "expected it to begin with \"fmgg\", found something else"},
      {"fmg", "expected it to begin with \"fmgg\""},
      {"ggmf" + header().substr(4), "expected it to begin with \"fmgg\""},
      {header().substr(0, 20), "the header is cut short at byte 20"},
      {header(99), "expected version 100 or 101, found 99"},
      {header(102), "expected version 100 or 101, found 102"},
      {header(101, 4),
       "the header: expected FP32, FP16, Q4_0, Q4_1, Q5_0, Q5_1 or Q8_0, found Q4_1_O, which rwkv.cpp does"},
      {header(100, 8), "expected version 101 of quantised numbers, found 100"},
      {header(101, 17), "the header: expected a type from 0 to 16, found 17"},
      {header() + matrix + record("q", 5, {32}, 18),
       "tensor \"q\": expected FP32, FP16, Q4_0, Q4_1, Q5_0, Q5_1 or Q8_0, found Q4_2"},
      {header() + matrix + record("q", 13, {256}, 144),
       "tensor \"q\": expected FP32, FP16, Q4_0, Q4_1, Q5_0, Q5_1 or Q8_0, found Q4_K"},
      {header(100) + matrix + record("q", 9, {32}, 34), "expected version 101 of quantised numbers, found 100"},
      {header() + matrix + record("q", 9, {33}, 36), "tensor \"q\": Q8_0 (33) has rows that are no whole blocks of 32"},
      {header() + matrix + record("q", 9, {64, 2}, 135),
       "tensor \"q\": Q8_0 (2, 64) takes 136 bytes, but the file ends after 135"},
      {header() + record("q", huge, {32}, 34), "tensor \"q\": expected a type from 0 to 16, found 4294967295"},
      {header() + record("a", 0, {}, 4), "the tensor at byte 24: expected 1 to 3 extents, found 0"},
      {header() + record("a", 0, {1, 1, 1, 1}, 4), "the tensor at byte 24: expected 1 to 3 extents, found 4"},
      {header() + record("", 0, {1}, 4), "the tensor at byte 24 has no name"},
      {header() + matrix + halves + matrix, "tensor \"a\" occurs twice"},
      {header() + record("a", 0, {7}, 24), "tensor \"a\": F32 (7) takes 28 bytes, but the file ends after 24 of them"},
      {header() + record("a", 0, {huge, huge}, 24),
       "tensor \"a\": F32 (4294967295, 4294967295) takes more than 2^64 bytes"},
      {header() + record("a", 1, {1u << 31, 1u << 31, 4}, 24), "tensor \"a\": F16 (4, 2147483648, 2147483648) takes"},
      {header() + record(std::string(5000, 'n'), 0, {2}, 4),
       "tensor \"" + std::string(80, 'n') + "...\" (5000 bytes): F32 (2) takes 8 bytes"},
      {header() + matrix + "left over", "the tensor at byte " + std::to_string(24 + matrix.size()) + " is cut short"},
  };
  for (const Case& c : cases) {
    const std::string found = complaint(path, c.bytes);
    CHECK_MESSAGE(found.starts_with(path + ": " + c.reason), found, "\n  expected: ", c.reason);
    CHECK(found.find("; ") != std::string::npos);  // and the way out
  }
  std::string long_name = header() + matrix;
  std::memcpy(&long_name[28], &huge, sizeof huge);
  CHECK(complaint(path, long_name).find("its name would have 4294967295 bytes, but the file ends after") !=
        std::string::npos);
}

TEST_CASE("a .bin file cut short inside a tensor is refused") {
  const test::Folder folder;
  const std::string whole = header() + matrix + halves;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    INFO("after ", n, " of ", whole.size(), " bytes");
    const bool between = n == header().size() || n == header().size() + matrix.size();  // nothing tells how many follow
    CHECK(complaint(folder / "cut", whole.substr(0, n)).empty() == between);
  }
  CHECK(complaint(folder / "cut", whole).empty());
}
