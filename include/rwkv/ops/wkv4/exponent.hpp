#pragma once
#include <array>
#include <bit>
#include <cstdint>

#include <rwkv/core/lanes.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/shape.hpp>

// e^x as mantissa 2^exponent with a whole exponent: what WKV-4 is made of. Exponents are numbers like all others, so
// that no key is too large for them.
namespace rwkv::detail {

template <class T>
struct Binary {
  static constexpr int mantissa = sizeof(T) == 4 ? 23 : 52, bias = sizeof(T) == 4 ? 127 : 1023;
  static constexpr T magic = T(3) * T(std::int64_t(1) << (mantissa - 1));  // x + magic: x rounded, in the low bits
  static constexpr T log2_e = T(1.44269504088896340736);
  static constexpr T ln2_high = sizeof(T) == 4 ? 0.693359375 : 0.693145751953125;  // few bits: its multiples are exact
  static constexpr T ln2_low = sizeof(T) == 4 ? -2.12194440e-4 : 1.42860682030941723212e-6;
};

#ifndef __CUDA_ARCH__
/// (e^r - 1 - r) / r^2 for |r| <= ln2 / 2. In float the polynomial of smallest error, 3e-9 of e^r.
template <class T>
inline constexpr auto weight_series = math::detail::exp_series<T>;
template <>
inline constexpr std::array<float, 5> weight_series<float>{0.49999993f, 0.1666652f, 0.041668394f, 0.0083687804f,
                                                           0.0013814467f};
#endif

#ifndef __CUDA_ARCH__
/// (e^r - 1 - r) / r^2: pairs of terms, half the chain of Horner's rule.
template <class L>
[[gnu::always_inline]] inline L weight_beyond(L r, L square) {
  constexpr auto& a = weight_series<scalar_of<L>>;
  constexpr int n = static_cast<int>(a.size());
  L p = n % 2 ? L{} + a[n - 1] : a[n - 1] * r + a[n - 2];
#pragma GCC unroll 8
  for (int i = n - 4 + n % 2; i >= 0; i -= 2) p = p * square + (a[i + 1] * r + a[i]);
  return p;
}
#endif

/// e^r for |r| <= ln2 / 2, and e^r - 1, also where that is next to nothing.
template <class L>
[[gnu::always_inline]] RWKV_HD inline L small_weight(L r) {
#ifdef __CUDA_ARCH__
  return ::exp(r);
#else
  const L square = r * r;
  return (weight_beyond(r, square) * square + r) + scalar_of<L>(1);
#endif
}
template <class L>
[[gnu::always_inline]] RWKV_HD inline L small_weight_less_1(L r) {
#ifdef __CUDA_ARCH__
  return ::expm1(r);
#else
  const L square = r * r;
  return weight_beyond(r, square) * square + r;
#endif
}

/// e^r, and what rounding took from it.
template <class L>
struct Weight {
  L high, low;
  [[gnu::always_inline]] RWKV_HD explicit Weight(L r)
      : high(small_weight(r)), low(small_weight_less_1(r) - (high - scalar_of<L>(1))) {}
};

/// The whole number nearest to x / ln2.
template <class L>
[[gnu::always_inline]] RWKV_HD inline L whole_exponent(L x) {
  using B = Binary<scalar_of<L>>;
  return (x * B::log2_e + B::magic) - B::magic;
}
/// x - whole ln2.
template <class L>
[[gnu::always_inline]] RWKV_HD inline L remainder(L x, L whole) {
  using B = Binary<scalar_of<L>>;
  return (x - whole * B::ln2_high) - whole * B::ln2_low;
}
/// e^x / 2^whole_exponent(x); where x is so large that nothing is known of it, some number near 1.
template <class L>
[[gnu::always_inline]] RWKV_HD inline Weight<L> weight_of(L x, L whole) {
  const L most = broadcast<L>(scalar_of<L>(0.35));
  return Weight<L>(math::max(-most, math::min(most, remainder(x, whole))));
}
template <class L>
[[gnu::always_inline]] RWKV_HD inline L mantissa(L x, L whole) {
  return weight_of(x, whole).high;
}
template <class L>
[[gnu::always_inline]] RWKV_HD inline L mantissa(L x) {
  return mantissa(x, whole_exponent(x));
}
/// 2^x for a whole x up to the largest exponent; 0 where that is too small a number to be normal.
template <class L>
[[gnu::always_inline]] RWKV_HD inline L power(L x) {
  using T = scalar_of<L>;
  using B = Binary<T>;
  x = math::max(broadcast<L>(-B::bias), x);
#ifdef __CUDA_ARCH__
  return x > T(-B::bias) ? ::ldexp(T(1), static_cast<int>(x)) : T(0);
#else
  using Bits = math::detail::Bits<L>;
  return std::bit_cast<L>(std::bit_cast<Bits>(x + (B::magic + B::bias)) << B::mantissa);
#endif
}

}  // namespace rwkv::detail
