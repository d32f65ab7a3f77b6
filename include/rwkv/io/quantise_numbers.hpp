#pragma once
#include <rwkv/backend/pool.hpp>
#include <rwkv/core/number_text.hpp>
#include <rwkv/core/quantise.hpp>
#include <rwkv/io/read_numbers.hpp>

namespace rwkv::detail {

/// The storage of blocks of that dtype, which must be one that we can make.
constexpr Storage block_storage(Dtype d) {
  for (std::size_t s = 0; s < std::size(storages); ++s)
    if (file_dtype(Storage(s)) == d) return Storage(s);
  return Storage::f32;
}

/// The bytes of a tensor when it is stored as `to`. Error that names it where its rows are no whole blocks.
[[gnu::cold]] inline std::uint64_t expect_size(const TensorSource& source, const TensorInfo& t, Dtype to) {
  if (const auto size = byte_size(to, t.shape)) return *size;
  throw Error(source.path(), ": ", shown(t.called.empty() ? t.name : t.called), ": expected rows of whole blocks of ",
              block_of(to), " to store it as ", name_of(to), ", found ", shape_text(t.shape),
              "; store the model as F16 or F32");
}

/// Fills `chunk` with whole blocks of the type `to`, made of the numbers of t from `first` on, by all threads. Error
/// that names the tensor where its rows are no whole blocks, or where numbers are beyond what scales can hold.
inline void quantise_numbers(const TensorSource& source, const TensorInfo& t, Dtype to, std::uint64_t first,
                             std::span<std::byte> chunk) {
  expect_size(source, t, to);
  const auto bytes = source.bytes(t);
  const std::size_t size = std::size_t(bytes_of(to)), block = std::size_t(block_of(to));
  if (bytes && t.dtype == to) {
    std::memcpy(chunk.data(), bytes->data() + first / block * size, chunk.size());
    return;
  }
  std::vector<float> numbers(chunk.size() / size * block);
  read_numbers(source, t, first, std::span(numbers));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (!(std::abs(numbers[i]) <= 65504))
      throw Error(source.path(), ": ", shown(t.called.empty() ? t.name : t.called), ": number ", first + i, " is ",
                  number_text(double(numbers[i])), ", which is beyond ", name_of(to), "; store it as F32");
  constexpr std::size_t some = 1 << 12;
  pool().run(dim_t((numbers.size() + some - 1) / some), [&](dim_t i) {
    const std::size_t from = std::size_t(i) * some, n = std::min(some, numbers.size() - from);
    encode(block_storage(to), std::span<const float>(numbers).subspan(from, n), chunk.data() + from / block * size);
  });
}

}  // namespace rwkv::detail
