#pragma once
#include <rwkv/backend/pool.hpp>
#include <rwkv/core/quantise.hpp>
#include <rwkv/io/bundle_memory.hpp>
#include <rwkv/io/read_numbers.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

namespace detail {

inline constexpr dim_t import_chunk = 1 << 16;  // numbers that are uploaded at once

/// Numbers are read as Number, then stored as the leaf stores them.
template <class Number>
void import_numbers(const TensorSource& source, const TensorInfo& theirs, const Leaf& leaf,
                    const BundleMemory& memory) {
  const dim_t most = std::min(leaf.size, import_chunk);
  std::vector<Number> numbers(static_cast<std::size_t>(most));
  std::vector<std::byte> stored(std::size_t(bytes_of(leaf.storage, most)) + memory.unit);  // with room for padding
  for (dim_t first = 0; first < leaf.size; first += most) {
    const dim_t n = std::min(leaf.size - first, most);
    const std::span part(numbers.data(), std::size_t(n));
    read_numbers(source, theirs, std::uint64_t(leaf.first + first), part);
    constexpr dim_t some = 1 << 12;
    pool().run((n + some - 1) / some, [&](dim_t i) {
      const auto few = part.subspan(std::size_t(i * some), std::size_t(std::min(some, n - i * some)));
      encode<Number>(leaf.storage, few, stored.data() + bytes_of(leaf.storage, i * some));
    });
    memory.upload(memory.of(leaf) + bytes_of(leaf.storage, first), stored.data(),
                  memory.scalars(std::size_t(bytes_of(leaf.storage, n))));
  }
}

/// Bytes as the file has them; through a copy where the memory is out of reach.
inline void import_bytes(std::span<const std::byte> bytes, std::byte* to, const BundleMemory& memory) {
  constexpr std::size_t most = import_chunk * sizeof(double);
  const auto part = [&](std::size_t first) { return bytes.subspan(first, std::min(bytes.size() - first, most)); };
  if (memory.in_reach)
    return pool().run(dim_t((bytes.size() + most - 1) / most),
                      [&](dim_t i) { copy_bytes(part(std::size_t(i) * most), to + std::size_t(i) * most); });
  std::vector<std::byte> copy(std::min(bytes.size(), most) + memory.unit);  // with room for padding
  for (std::size_t first = 0; first < bytes.size(); first += most) {
    copy_bytes(part(first), copy.data());
    memory.upload(to + first, copy.data(), memory.scalars(part(first).size()));
  }
}

}  // namespace detail

/// Fills a leaf, or the part of it that is in memory, from a tensor that fits it, see BundleReader: with the file's
/// bytes where they are what the leaf stores, else number by number.
[[gnu::cold]] inline void import_tensor(const TensorSource& source, const TensorInfo& theirs, const Leaf& leaf,
                                        const BundleMemory& memory) {
  const auto bytes = source.bytes(theirs);
  if (bytes && theirs.dtype == file_dtype(leaf.storage))
    detail::import_bytes(bytes->subspan(std::size_t(bytes_of(leaf.storage, leaf.first)), std::size_t(leaf.bytes())),
                         memory.of(leaf), memory);
  else if (leaf.storage == Storage::f64)
    detail::import_numbers<double>(source, theirs, leaf, memory);
  else
    detail::import_numbers<float>(source, theirs, leaf, memory);
}

}  // namespace rwkv
