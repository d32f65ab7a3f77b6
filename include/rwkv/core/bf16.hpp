#pragma once
#include <bit>
#include <cstdint>
#include <limits>

#include <rwkv/core/halves.hpp>

namespace rwkv {
namespace detail {
/// The upper halves of floats, rounded to nearest, ties to even. What is too large becomes infinite; NaN stays NaN.
template <class L>
[[gnu::always_inline]] RWKV_HD inline auto upper_half(L x) {
  using Bits = Pack<std::uint32_t, width_of<L>>;
  const Bits bits = std::bit_cast<Bits>(x), half = bits >> 16;
  const Bits rounded = (bits + (half & 1u) + 0x7FFFu) >> 16, quiet = half | 0x40u;
  return narrow_to_halves(x == x ? rounded : quiet);
}
template <class L, class Half>
[[gnu::always_inline]] RWKV_HD inline L from_upper_half(Half bits) {
  return std::bit_cast<L>(widen_halves(bits) << 16);
}
}  // namespace detail

/// A bfloat16, the upper half of a float: its range, with 8 bits of precision. A way to store numbers, not to compute:
/// load widens it to float, store rounds. It may lie in memory that holds floats at other times.
struct [[gnu::may_alias]] bf16 {
  std::uint16_t bits;

  bf16() = default;
  /// Rounds to nearest, ties to even.
  RWKV_HD explicit bf16(float x) : bits(detail::upper_half(x)) {}
  RWKV_HD operator float() const { return detail::from_upper_half<float>(bits); }
};

template <>
struct ComputeOf<bf16> {
  using type = float;
};

inline RWKV_HD float load(const bf16* p, dim_t i) {
  return p[i];
}
inline RWKV_HD void store(bf16* p, dim_t i, float x) {
  p[i] = bf16(x);
}
template <int W>
RWKV_HD Pack<float, W> load(const bf16* p, Lanes<W> i) {
  if constexpr (W == 1) {
    return load(p, i.first);
  } else {
    Pack<std::uint16_t, W> bits;
    std::memcpy(&bits, p + i.first, sizeof bits);
    return detail::from_upper_half<Pack<float, W>>(bits);
  }
}
/// x as a T would give it back.
template <class T, class L>
[[gnu::always_inline]] RWKV_HD inline L rounded_to(L x) {
  if constexpr (std::is_same_v<T, bf16>)
    return detail::from_upper_half<L>(detail::upper_half(x));
  else
    return x;
}
template <int W>
RWKV_HD void store(bf16* p, Lanes<W> i, const std::type_identity_t<Pack<float, W>>& x) {
  if constexpr (W == 1) {
    store(p, i.first, x);
  } else {
    const auto bits = detail::upper_half(x);
    std::memcpy(static_cast<void*>(p + i.first), &bits, sizeof bits);
  }
}

}  // namespace rwkv

/// What differs from float's: 8 bits of precision.
template <>
struct std::numeric_limits<rwkv::bf16> : std::numeric_limits<float> {
  static constexpr int digits = 8, digits10 = 2, max_digits10 = 4;
  static constexpr float epsilon() { return 0x1p-7f; }
  static constexpr float max() { return 0x1.FEp127f; }
  static constexpr float lowest() { return -max(); }
};
