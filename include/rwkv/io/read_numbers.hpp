#pragma once
#include <algorithm>

#include <rwkv/io/mapped_file.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv::detail {

/// out[i] = element first + i of a real tensor, as source.read_numbers has it, for many of them: a mapped file's are
/// copied from the file, or its pages are released, so that it takes no memory beside the numbers.
template <class Number>
void read_numbers(const TensorSource& source, const TensorInfo& t, std::uint64_t first, std::span<Number> out) {
  constexpr std::size_t piece = 1 << 14;
  const auto bytes = source.bytes(t);
  const std::uint64_t each = bytes_of(t.dtype);
  std::uint64_t size = 1;
  for (const dim_t d : t.shape) size *= std::uint64_t(d);
  if (bytes && !in_blocks(t.dtype) && bytes->size() == size * each) {
    alignas(double) std::byte copy[piece * sizeof(double)];
    for (std::size_t done = 0; done < out.size(); done += piece) {
      const auto part = out.subspan(done, std::min(piece, out.size() - done));
      copy_bytes(bytes->subspan(std::size_t((first + done) * each), std::size_t(part.size() * each)), copy);
      convert(t.dtype, copy, part);
    }
    return;
  }
  source.read_numbers(t, first, out);
  if (!bytes || size == 0) return;
  const double read = double(first + out.size()) / double(size);
  release_bytes(bytes->subspan(0, std::min(bytes->size(), std::size_t(read * double(bytes->size())))));
}

}  // namespace rwkv::detail
