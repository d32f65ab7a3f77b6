#include <filesystem>
#include <map>
#include <sstream>

#include <rwkv/io/open_source.hpp>

#include "golden_tensors.hpp"

using namespace rwkv;

namespace {

/// CRC-32 as zlib computes it.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t crc) {
  crc = ~crc;
  for (const std::byte b : bytes) {
    crc ^= std::uint32_t(b);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}
std::uint32_t checksum(const TensorSource& source) {
  std::map<std::string, const TensorInfo*> by_name;
  for (const TensorInfo& t : source.tensors()) by_name[t.name] = &t;
  std::uint32_t crc = 0;
  for (const auto& [name, t] : by_name) {
    const std::string head = name + shape_text(t->shape);
    const std::vector<float> numbers = test::numbers_of(source, *t);
    crc = crc32(std::as_bytes(std::span(head)), crc);
    crc = crc32(std::as_bytes(std::span(numbers)), crc);
  }
  return crc;
}

}  // namespace

TEST_CASE("models in files of all formats hold what the formats' own software reads") {
  const std::string data = std::string(RWKV_SHARED_DIR) + "/data/";
  if (!std::filesystem::exists(data + "rwkv-files") || !std::filesystem::exists(data + "rwkv-tiny")) {
    MESSAGE("skipped: no models at " << data);
    return;
  }
  std::istringstream lines(test::read(std::string(RWKV_TESTS_DIR) + "/golden/tensor_checksums.txt"));
  std::string file;
  std::size_t tensors = 0, files = 0;
  for (std::uint32_t expected = 0; lines >> file >> tensors >> expected; ++files) {
    INFO(file);
    const auto source = open_source(data + file);
    CHECK(source->tensors().size() == tensors);
    CHECK(checksum(*source) == expected);
  }
  CHECK(files == 31);
}
