#pragma once
#include <rwkv/io/narrow.hpp>
#include <rwkv/io/quantise_numbers.hpp>

namespace rwkv {

namespace detail {

/// Gives the bytes of a tensor, stored as `dtype`, to `write` piece by piece.
template <class Write>
void write_numbers(const TensorSource& source, const TensorInfo& t, Dtype dtype, Write&& write) {
  constexpr std::uint64_t most = 1 << 20;  // numbers at once, in whole blocks
  const std::uint64_t all = *byte_size(Dtype::u8, t.shape), block = block_of(dtype);
  const auto bytes_for = [&](std::uint64_t n) { return std::size_t(n / block * bytes_of(dtype)); };
  std::vector<std::byte> bytes(bytes_for(std::min(all, most)));
  for (std::uint64_t first = 0; first < all; first += most) {
    const std::span chunk(bytes.data(), bytes_for(std::min(all - first, most)));
    if (in_blocks(dtype))
      quantise_numbers(source, t, dtype, first, chunk);
    else
      store_numbers(source, t, dtype, first, chunk);
    write(std::span<const std::byte>(chunk));
  }
}

}  // namespace detail
}  // namespace rwkv
