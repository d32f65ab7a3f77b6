#pragma once
#include <vector>

#include <rwkv/io/tensor_source.hpp>
#include <rwkv/registry/open.hpp>

#include "expect.hpp"

namespace fuzz {

/// Reads all that a file of tensors holds, and what it says about its net.
inline void touch(const rwkv::TensorSource& source) {
  unsigned sum = 0;
  for (const rwkv::TensorInfo& t : source.tensors()) {
    expect(source.find(t.name) != nullptr, "a tensor under its name");
    const auto bytes = *source.bytes(t);
    for (const std::byte b : bytes) sum += unsigned(b);
    std::vector<float> numbers(rwkv::is_real(t.dtype) ? bytes.size() / rwkv::bytes_of(t.dtype) : 1);
    try {
      source.read(t.name, t.shape, std::span(numbers));
      expect(rwkv::is_real(t.dtype), "a dtype that cannot be read is refused");
    } catch (const rwkv::Error&) {
      expect(!rwkv::is_real(t.dtype), "numbers are read");
    }
  }
  volatile unsigned used = sum;
  static_cast<void>(used);
  static_cast<void>(rwkv::detail::type_in(rwkv::OfficialSource(source)));
}

}  // namespace fuzz
