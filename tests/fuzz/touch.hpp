#pragma once
#include <vector>

#include <rwkv/io/tensor_source.hpp>
#include <rwkv/registry/open.hpp>

#include "expect.hpp"

namespace fuzz {

/// How many numbers it has.
inline std::size_t size(const rwkv::TensorInfo& t) {
  std::size_t n = 1;
  for (const rwkv::dim_t d : t.shape) n *= std::size_t(d);
  return n;
}
/// Reads all that a file of tensors holds, and what it says about its net.
inline void touch(const rwkv::TensorSource& source) {
  unsigned sum = 0;
  for (const rwkv::TensorInfo& t : source.tensors()) {
    expect(source.find(t.name) != nullptr, "a tensor under its name");
    if (const auto bytes = source.bytes(t))
      for (const std::byte b : *bytes) sum += unsigned(b);
    std::vector<float> numbers(rwkv::is_real(t.dtype) ? size(t) : 1);
    try {
      source.read(t.name, t.shape, std::span(numbers));
      expect(rwkv::is_real(t.dtype), "a dtype that cannot be read is refused");
    } catch (const rwkv::Error&) {
      expect(!rwkv::is_real(t.dtype), "numbers are read");
    }
  }
  volatile unsigned used = sum;
  static_cast<void>(used);
  static_cast<void>(rwkv::detail::shape_in(rwkv::OfficialSource(source)));
}

}  // namespace fuzz
