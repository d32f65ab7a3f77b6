#pragma once
#include <rwkv/core/math.hpp>

namespace rwkv::detail {

/// 2^r = 1 + r (a[0] + a[1] r + ...) for |r| <= 1/2: the series, and in float the polynomial of smallest error, 1e-7.
template <class T>
inline constexpr auto exp2_series = [] {
  std::array<T, 13> a{T(0.69314718055994530942)};
  for (std::size_t n = 1; n < a.size(); ++n) a[n] = a[n - 1] * a[0] / T(n + 1);
  return a;
}();
template <>
inline constexpr std::array<float, 5> exp2_series<float>{0.69314700f, 0.24022242f, 0.05550734f, 0.00967151f,
                                                         0.00132647f};

/// 2^x for x <= 0, never below the smallest normal number; NaN stays NaN. Where x > 0 is so small that only rounding
/// can have made it, 2^x too.
#ifdef __CUDA_ARCH__
template <class L>
__device__ L exp2_nonpositive(L x) {
  return ::exp2(x);
}
#else
template <class L>
[[gnu::always_inline]] inline L exp2_nonpositive(L x) {
#ifdef __clang__
#pragma clang fp reassociate(off)
#endif
  using T = scalar_of<L>;
  using Format = math::detail::Format<T>;
  using Bits = math::detail::Bits<L>;
  // x + magic: x rounded and biased, in the low bits, from where a shift makes it the exponent of 2^n
  constexpr T magic = T(3) * T(std::int64_t(1) << (Format::mantissa - 1)) + T(Format::bias);
  x = math::max(broadcast<L>(T(1 - Format::bias)), x);
  const L shifted = x + magic, r = x - (shifted - magic);
  const L scale = std::bit_cast<L>(std::bit_cast<Bits>(shifted) << Format::mantissa);
  return math::detail::polynomial(r, exp2_series<T>) * r * scale + scale;
}
#endif

}  // namespace rwkv::detail
