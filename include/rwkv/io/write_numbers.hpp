#pragma once

#include <rwkv/io/narrow.hpp>

namespace rwkv {

namespace detail {

/// Gives the bytes of a tensor, stored as `dtype`, to `write` piece by piece.
template <class Write>
void write_numbers(const TensorSource& source, const TensorInfo& t, Dtype dtype, Write&& write) {
  constexpr std::uint64_t most = 1 << 20;  // numbers at once
  const std::uint64_t all = *byte_size(Dtype::u8, t.shape);
  std::vector<std::byte> bytes(std::size_t(std::min(all, most) * bytes_of(dtype)));
  for (std::uint64_t first = 0; first < all; first += most) {
    const std::span chunk(bytes.data(), std::size_t(std::min(all - first, most) * bytes_of(dtype)));
    store_numbers(source, t, dtype, first, chunk);
    write(std::span<const std::byte>(chunk));
  }
}

}  // namespace detail
}  // namespace rwkv
