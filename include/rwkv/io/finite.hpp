#pragma once
#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

#include <rwkv/backend/pool.hpp>
#include <rwkv/backend/thread_buffer.hpp>
#include <rwkv/io/bundle_memory.hpp>
#include <rwkv/io/read_numbers.hpp>

namespace rwkv {

/// What becomes of a file with NaN or infinities among its numbers: an Error that names the first such tensor, or it is
/// read as it is.
enum class OnNonFinite { refuse, accept };

namespace detail {

/// The place of the first number whose bits of the exponent are all set, which makes it NaN or infinite; -1 for none.
template <class Bits>
dim_t first_with(Bits exponent, std::span<const std::byte> bytes) {
  constexpr std::size_t piece = 1024;
  const std::size_t n = bytes.size() / sizeof(Bits);
  const auto hit = [&](std::size_t i) {
    Bits bits;
    std::memcpy(&bits, bytes.data() + i * sizeof(Bits), sizeof(Bits));
    return (bits & exponent) == exponent;
  };
  for (std::size_t first = 0; first < n; first += piece) {
    const std::size_t end = std::min(n, first + piece);
    bool any = false;
    for (std::size_t i = first; i < end; ++i) any |= hit(i);
    if (!any) continue;
    while (!hit(first)) ++first;
    return static_cast<dim_t>(first);
  }
  return -1;
}

inline dim_t first_nonfinite(Dtype dtype, std::span<const std::byte> bytes) {
  if (dtype == Dtype::f64) return first_with(std::uint64_t(0x7FF) << 52, bytes);
  if (dtype == Dtype::f32) return first_with(std::uint32_t(0x7F800000), bytes);
  if (dtype == Dtype::bf16) return first_with(std::uint16_t(0x7F80), bytes);
  if (dtype == Dtype::f16) return first_with(std::uint16_t(0x7C00), bytes);
  return -1;
}

/// The same of bytes that may be a file's, which are copied piece by piece, by all threads.
inline dim_t first_nonfinite_of_many(Dtype dtype, std::span<const std::byte> bytes) {
  constexpr std::size_t piece = 1 << 18;  // stays in a cache between the copy and the look at it
  constexpr dim_t none = std::numeric_limits<dim_t>::max();
  std::atomic<dim_t> first = none;
  pool().run(dim_t((bytes.size() + piece - 1) / piece), [&](dim_t i) {
    static thread_local ThreadBuffer<std::byte> buffer;
    const std::size_t begin = std::size_t(i) * piece;
    const std::span<std::byte> copy(buffer.at_least(piece), std::min(piece, bytes.size() - begin));
    copy_bytes(bytes.subspan(begin, copy.size()), copy.data());
    dim_t at = first_nonfinite(dtype, copy);
    if (at >= 0) at += dim_t(begin / bytes_of(dtype));
    for (dim_t least = first; at >= 0 && at < least && !first.compare_exchange_weak(least, at);) continue;
  });
  return first == none ? -1 : first.load();
}

}  // namespace detail

/// The place of a tensor's first NaN or infinity; -1 if all its numbers are finite.
[[gnu::cold]] inline dim_t first_nonfinite(const TensorSource& source, const TensorInfo& tensor) {
  if (!is_real(tensor.dtype)) return -1;
  if (const auto bytes = source.bytes(tensor); bytes && !in_blocks(tensor.dtype))
    return detail::first_nonfinite_of_many(tensor.dtype, *bytes);
  dim_t size = 1;
  for (const dim_t d : tensor.shape) size *= d;
  std::vector<double> numbers;
  for (dim_t first = 0; first < size; first += 1 << 16) {
    numbers.resize(static_cast<std::size_t>(std::min<dim_t>(size - first, 1 << 16)));
    detail::read_numbers(source, tensor, static_cast<std::uint64_t>(first), std::span(numbers));
    if (const dim_t at = detail::first_nonfinite(Dtype::f64, std::as_bytes(std::span(numbers))); at >= 0)
      return first + at;
  }
  return -1;
}

/// Error, which names the first of them, if a tensor holds NaN or infinities; `way_out` ends it.
[[gnu::cold]] inline void expect_finite(const TensorSource& source, const TensorInfo& t, std::string_view way_out) {
  if (const dim_t at = first_nonfinite(source, t); at >= 0)
    throw Error(source.path(), ": ", called_in_file(t), ": expected finite numbers, found NaN or an infinity at place ",
                at, "; ", way_out);
}

/// The first leaf that holds NaN or an infinity; null if all numbers of the bundle are finite.
[[gnu::cold]] inline const Leaf* first_nonfinite(const BundleMemory& bundle) {
  constexpr dim_t piece = 1 << 18;
  std::vector<std::byte> bytes(std::size_t(piece) + bundle.unit);
  for (const Leaf& leaf : bundle.leaves)
    for (dim_t first = 0; first < leaf.bytes(); first += piece) {
      const std::span part(bytes.data(), static_cast<std::size_t>(std::min(piece, leaf.bytes() - first)));
      bundle.download_bytes(part.data(), bundle.of(leaf) + first, part.size());
      if (detail::first_nonfinite(file_dtype(leaf.storage), part) >= 0) return &leaf;
    }
  return nullptr;
}

}  // namespace rwkv
