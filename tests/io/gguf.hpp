#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>

#include "zip.hpp"

/// Pieces of GGUF files, right or wrong.
namespace test::gguf {

inline std::string text(const std::string& t) {
  return bytes_of(std::uint64_t(t.size())) + t;
}
template <class T>
std::string key(const std::string& name, std::uint32_t type, T value) {
  return text(name) + bytes_of(type) + bytes_of(value);
}
inline std::string tensor(const std::string& name, std::initializer_list<std::uint64_t> fastest_first,
                          std::uint32_t type, std::uint64_t offset) {
  std::string bytes = text(name) + bytes_of(std::uint32_t(fastest_first.size()));
  for (const std::uint64_t extent : fastest_first) bytes += bytes_of(extent);
  return bytes + bytes_of(type) + bytes_of(offset);
}
struct File {
  std::uint64_t key_count = 0;
  std::string keys = {};
  std::uint64_t tensor_count = 0;
  std::string tensors = {};
  std::size_t data = 0, alignment = 32;
  std::uint32_t version = 3;

  std::string bytes() const {
    std::string all = "GGUF" + bytes_of(version) + bytes_of(tensor_count) + bytes_of(key_count) + keys + tensors;
    all.resize((all.size() + alignment - 1) / alignment * alignment, '\0');
    return all + std::string(data, '\1');
  }
};

}  // namespace test::gguf
