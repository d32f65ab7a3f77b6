#pragma once
#include <rwkv/io/bundle_memory.hpp>
#include <rwkv/io/import_rule.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

namespace detail {

/// One of theirs, just read, as ours with these extents.
template <class N>
void transform(const Transform& how, std::span<const dim_t> shape, std::vector<N>& numbers) {
  if (how.number != nullptr)
    for (N& x : numbers) x = N(how.number(double(x)));
  if (!how.transposed || shape.size() < 2) return;
  const auto rows = std::size_t(shape[shape.size() - 2]), columns = std::size_t(shape[shape.size() - 1]);
  const std::vector<N> theirs = numbers;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t matrix = i / (rows * columns), row = i / columns % rows, column = i % columns;
    numbers[i] = theirs[(matrix * columns + column) * rows + row];
  }
}

/// Numbers first ... first + n - 1 of a leaf, computed with as N, the way that the leaf stores them.
template <class N>
void convert_part(const TensorSource& source, const TensorInfo& theirs, const Transform& how, const Leaf& leaf,
                  dim_t first, dim_t n, std::byte* stored) {
  std::vector<N> numbers(static_cast<std::size_t>(n));
  source.read_numbers(theirs, std::uint64_t(how.part * leaf.size + first), numbers);
  transform(how, leaf.shape, numbers);
  with_storage(leaf.storage, [&]<class Stored>() {
    std::transform(numbers.begin(), numbers.end(), reinterpret_cast<Stored*>(stored), [](N x) { return Stored(x); });
  });
}

}  // namespace detail

/// Fills a leaf from a tensor that fits it, see BundleReader: without a copy where the file holds the very bytes that
/// the memory is to hold, else in parts of a few megabytes.
[[gnu::cold]] inline void import_tensor(const TensorSource& source, const TensorInfo& theirs, const Transform& how,
                                        const Leaf& leaf, const BundleMemory& memory) {
  const std::byte* bytes = nullptr;  // as the memory is to hold them
  if (theirs.dtype == file_dtype(leaf.storage) && how.number == nullptr && !how.transposed)
    if (const auto all = source.bytes(theirs)) bytes = all->data() + how.part * leaf.bytes();
  const auto size = std::size_t(leaf.bytes());
  if (bytes != nullptr && size % memory.unit == 0 && std::uintptr_t(bytes) % memory.unit == 0)
    return memory.upload(memory.of(leaf), bytes, dim_t(size / memory.unit));

  constexpr dim_t chunk = 1 << 20;
  const dim_t most = how.transposed ? leaf.size : std::min(leaf.size, chunk);
  std::vector<std::byte> stored;
  for (dim_t first = 0; first < leaf.size; first += most) {
    const dim_t n = std::min(leaf.size - first, most), offset = bytes_of(leaf.storage, first);
    const auto taken = std::size_t(bytes_of(leaf.storage, n));
    stored.resize((taken + memory.unit - 1) / memory.unit * memory.unit);
    if (bytes != nullptr)
      std::memcpy(stored.data(), bytes + offset, taken);
    else if (leaf.storage == Storage::f64)
      detail::convert_part<double>(source, theirs, how, leaf, first, n, stored.data());
    else
      detail::convert_part<float>(source, theirs, how, leaf, first, n, stored.data());
    memory.upload(memory.of(leaf) + offset, stored.data(), dim_t(stored.size() / memory.unit));
  }
}

}  // namespace rwkv
