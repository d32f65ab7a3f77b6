#pragma once
#include <rwkv/io/safetensors_file.hpp>

#include "folder.hpp"

namespace test {

inline const std::string golden_files = std::string(RWKV_TESTS_DIR) + "/golden/files/";

/// All numbers of a tensor.
inline std::vector<float> numbers_of(const rwkv::TensorSource& source, const rwkv::TensorInfo& t) {
  std::size_t size = 1;
  for (const rwkv::dim_t d : t.shape) size *= std::size_t(d);
  std::vector<float> numbers(size);
  source.read_numbers(t, 0, std::span(numbers));
  return numbers;
}

/// Checks that what is under `file` in a safetensors file of expected numbers is what the source holds, to the bit;
/// returns how many tensors those are.
inline std::size_t check_golden(const rwkv::TensorSource& source, const std::string& expected,
                                const std::string& file) {
  const rwkv::SafetensorsFile golden(golden_files + expected);
  std::size_t found = 0;
  for (const rwkv::TensorInfo& want : golden.tensors()) {
    if (!want.name.starts_with(file + "/")) continue;
    INFO(want.name);
    ++found;
    const rwkv::TensorInfo* const t = source.find(want.name.substr(file.size() + 1));
    REQUIRE(t != nullptr);
    CHECK(t->shape == want.shape);
    const auto bits = *golden.bytes(want);
    if (rwkv::is_real(want.dtype)) {
      REQUIRE(rwkv::is_real(t->dtype));
      const std::vector<float> numbers = numbers_of(source, *t);
      REQUIRE(numbers.size() * sizeof(float) == bits.size());
      CHECK((bits.empty() || std::memcmp(numbers.data(), bits.data(), bits.size()) == 0));
    } else {
      CHECK(t->dtype == want.dtype);
      CHECK(std::ranges::equal(*source.bytes(*t), bits));
    }
  }
  CHECK(source.tensors().size() == found);
  return found;
}

}  // namespace test
