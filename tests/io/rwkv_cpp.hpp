#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>

/// Pieces of rwkv.cpp's .bin files, right or wrong.
namespace test {

inline std::string numbers(std::initializer_list<std::uint32_t> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(std::uint32_t)};
}
inline std::string header(std::uint32_t version = 101, std::uint32_t type = 0) {
  return "fmgg" + numbers({version, 11, 8, 2, type});
}
/// A tensor with `bytes` bytes of data; the fastest extent comes first.
inline std::string record(const std::string& name, std::uint32_t type, std::initializer_list<std::uint32_t> extents,
                          std::size_t bytes) {
  return numbers({std::uint32_t(extents.size()), std::uint32_t(name.size()), type}) + numbers(extents) + name +
         std::string(bytes, '\1');
}

}  // namespace test
