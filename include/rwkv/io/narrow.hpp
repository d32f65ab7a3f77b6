#pragma once
#include <cmath>
#include <limits>

#include <rwkv/core/f16.hpp>
#include <rwkv/core/number_text.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

/// The bits of the bfloat16 nearest to x.
inline std::uint16_t to_bf16(double x) {
  return detail::narrowed<7>(x);
}

/// Fills `chunk`, whole scalars of the type `to`, with the numbers of t from `first` on, rounded to the nearest. Error
/// that names the tensor where a finite number is beyond that type.
inline void store_numbers(const TensorSource& source, const TensorInfo& t, Dtype to, std::uint64_t first,
                          std::span<std::byte> chunk) {
  const std::size_t size = std::size_t(bytes_of(to)), n = chunk.size() / size;
  if (const auto bytes = source.bytes(t); bytes && t.dtype == to) {
    if (n > 0) std::memcpy(chunk.data(), bytes->data() + first * size, chunk.size());
    return;
  }
  const auto store = [&]<class Number>(Number) {
    constexpr std::size_t most = 1 << 14;
    std::vector<Number> numbers(std::min(n, most));
    for (std::size_t done = 0; done < n; done += most) {
      const std::span part(numbers.data(), std::min(n - done, most));
      source.read_numbers(t, first + done, part);
      std::byte* at = chunk.data() + done * size;
      for (std::size_t i = 0; i < part.size(); ++i, at += size) {
        const double x = double(part[i]);
        bool fits = true;
        if (to == Dtype::f16 || to == Dtype::bf16) {
          const std::uint16_t bits = to == Dtype::f16 ? to_f16(x) : to_bf16(x);
          const int infinity = to == Dtype::f16 ? 0x7C00 : 0x7F80;
          fits = (bits & infinity) != infinity || !std::isfinite(x);
          std::memcpy(at, &bits, size);
        } else if (to == Dtype::f32) {
          const float y = float(x);
          fits = std::isfinite(y) || !std::isfinite(x);
          std::memcpy(at, &y, size);
        } else {
          std::memcpy(at, &x, size);
        }
        if (!fits)
          throw Error(source.path(), ": ", shown(t.called.empty() ? t.name : t.called), ": number ", first + done + i,
                      " is ", number_text(x), ", which is beyond ", name_of(to),
                      to == Dtype::f16 ? "; store it as F32 or BF16" : "; what made it had gone wrong");
      }
    }
  };
  t.dtype == Dtype::f64 ? store(double{}) : store(float{});
}

}  // namespace rwkv
