#pragma once
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include <rwkv/io/tensor_info.hpp>

namespace rwkv::detail {

/// Where the scalars of a tensor lie: for each extent, how many scalars one step along it is.
struct Strides {
  std::vector<dim_t> shape, steps;

  /// Scalars in the tensor; nothing if 63 bits cannot count them.
  std::optional<dim_t> size() const {
    dim_t n = 1;
    for (const dim_t d : shape)
      if (__builtin_mul_overflow(n, d, &n)) return {};
    return n;
  }
  /// Scalars from its first to its last one; nothing if 63 bits cannot count them.
  std::optional<dim_t> reach() const {
    dim_t last = 0, way = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 0) return 0;
      if (__builtin_mul_overflow(shape[i] - 1, steps[i], &way) || __builtin_add_overflow(last, way, &last)) return {};
    }
    return __builtin_add_overflow(last, 1, &last) ? std::nullopt : std::optional(last);
  }
  /// Whether they lie row-major and without gaps.
  bool contiguous() const {
    if (reach() == 0) return true;
    dim_t step = 1;
    for (std::size_t i = shape.size(); i-- > 0; step *= shape[i])
      if (shape[i] != 1 && steps[i] != step) return false;
    return true;
  }
  /// Copies scalars of so many bytes, in row-major order from number `first` on, until `out` is full.
  void gather(std::span<const std::byte> from, std::size_t scalar, std::uint64_t first,
              std::span<std::byte> out) const {
    std::vector<std::uint64_t> at(shape.size());
    std::uint64_t place = 0;  // of the next scalar
    for (std::size_t i = shape.size(); i-- > 0; first /= std::uint64_t(shape[i])) {
      at[i] = first % std::uint64_t(shape[i]);
      place += at[i] * std::uint64_t(steps[i]);
    }
    for (; !out.empty(); out = out.subspan(scalar)) {
      std::memcpy(out.data(), from.data() + place * scalar, scalar);
      for (std::size_t i = shape.size(); i-- > 0; at[i] = 0) {
        place += std::uint64_t(steps[i]);
        if (++at[i] < std::uint64_t(shape[i])) break;
        place -= at[i] * std::uint64_t(steps[i]);
      }
    }
  }
};

}  // namespace rwkv::detail
