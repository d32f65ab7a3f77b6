#pragma once
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include <rwkv/core/lanes.hpp>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Mathematics on lanes. One text serves float, double and every pack of them, so a channel gets the same number
// whichever lane it sits in; a device uses its own library, which knows its hardware. Kernels say math::exp, never exp:
// g++ would pick ::exp(double) for floats, and an rwkv::exp would be ambiguous for users of CUDA's headers. Where the
// order of operations is the point, clang is told to keep it: no macro shows -fassociative-math, as g++'s do.
namespace rwkv::math {

template <class L>
RWKV_HD L max(L a, L b) {
  return a > b ? a : b;
}
template <class L>
RWKV_HD L min(L a, L b) {
  return a < b ? a : b;
}

#ifdef __CUDA_ARCH__

template <class L>
__device__ L exp(L x) {
  return ::exp(x);
}
template <class L>
__device__ L log(L x) {
  return ::log(x);
}
template <class L>
__device__ L tanh(L x) {
  return ::tanh(x);
}
template <class L>
__device__ L sqrt(L x) {
  return ::sqrt(x);
}
template <class L>
__device__ L exp_nonpositive(L x) {
  return ::exp(x);
}

#else

namespace detail {

template <class T>
using IntegerLike = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
template <class L>
using Bits = Pack<IntegerLike<scalar_of<L> >, width_of<L> >;

template <class T>
struct Format;
template <>
struct Format<float> {
  static constexpr int mantissa = 23, bias = 127, exp_terms = 6, log_terms = 6;
  static constexpr float exp_low = -104, exp_high = 89, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  static constexpr float normal_low = -87;  // e^normal_low is the last normal number, rounded up
};
template <>
struct Format<double> {
  static constexpr int mantissa = 52, bias = 1023, exp_terms = 12, log_terms = 12;
  static constexpr double exp_low = -746, exp_high = 710, ln2_high = 0.693145751953125,
                          ln2_low = 1.42860682030941723212e-6;
  static constexpr double normal_low = -708;
};

/// a[0] + a[1] x + a[2] x^2 + ..., unrolled.
template <class L, class T, std::size_t Terms>
[[gnu::always_inline]] inline L polynomial(L x, const std::array<T, Terms>& a) {
  return [&]<std::size_t... K>(std::index_sequence<K...>) {
    L p = L{} + a[Terms - 1];
    ((p = p * x + a[Terms - 2 - K]), ...);
    return p;
  }
  (std::make_index_sequence<Terms - 1>{});
}

/// e^r = 1 + r + r^2 (1/2! + r/3! + ...)
template <class T>
inline constexpr auto exp_series = [] {
  std::array<T, Format<T>::exp_terms> a{T(0.5)};
  for (std::size_t n = 1; n < a.size(); ++n) a[n] = a[n - 1] / T(n + 2);
  return a;
}();
/// 2 atanh(s) = 2 s + s (2/3 s^2 + 2/5 s^4 + ...)
template <class T>
inline constexpr auto log_series = [] {
  std::array<T, Format<T>::log_terms> a{};
  for (std::size_t n = 1; n < a.size(); ++n) a[n] = T(2) / T(2 * n + 1);
  return a;
}();

/// x = n ln2 + r with |r| <= ln2 / 2; q = e^r - 1 by its series. Then e^x = 2^n (1 + q).
template <class L>
struct Exponential {
  using T = scalar_of<L>;
  using F = Format<T>;
  Bits<L> n;
  L q;
  [[gnu::always_inline]] explicit Exponential(L x) {
#ifdef __clang__
#pragma clang fp reassociate(off)
#endif
    constexpr T magic = T(3) * T(std::int64_t(1) << (F::mantissa - 1));  // x + magic: x rounded, in the low bits
    const L shifted = x * T(1.44269504088896340736) + magic, whole = shifted - magic;
    n = std::bit_cast<Bits<L> >(shifted) - std::bit_cast<IntegerLike<T> >(magic);
    const L r = (x - whole * F::ln2_high) - whole * F::ln2_low;
    q = polynomial(r, exp_series<T>) * (r * r) + r;
  }
  [[gnu::always_inline]] static L power_of_two(Bits<L> n) {
    return std::bit_cast<L>((n + F::bias) << F::mantissa);
  }
};

}  // namespace detail

/// e^x within 1 ulp, denormal results, infinities and NaN included.
template <class L>
[[gnu::always_inline]] inline L exp(L x) {
#ifdef __clang__
#pragma clang fp reassociate(off)
#endif
  using F = detail::Format<scalar_of<L> >;
  x = max(L{} + F::exp_low, min(L{} + F::exp_high, x));  // in this order NaN stays NaN
  const detail::Exponential<L> e(x);
  const auto half = e.n >> 1;  // 2^n in two steps: it may be denormal or infinite
  return (e.q + scalar_of<L>(1)) * e.power_of_two(half) * e.power_of_two(e.n - half);
}

/// e^x for x <= 0, never below the smallest normal number, where a denormal could only slow the machine down.
template <class L>
[[gnu::always_inline]] inline L exp_nonpositive(L x) {
  const detail::Exponential<L> e(max(L{} + detail::Format<scalar_of<L> >::normal_low, x));
  const L scale = e.power_of_two(e.n);
  return e.q * scale + scale;
}

/// e^x - 1 for x <= 0.
template <class L>
[[gnu::always_inline]] inline L expm1_nonpositive(L x) {
  const detail::Exponential<L> e(max(L{} + scalar_of<L>(-64), x));
  const L scale = e.power_of_two(e.n);
  return e.q * scale + (scale - scalar_of<L>(1));
}

/// Within 2.5 ulp over the whole range; keeps the sign of zero.
template <class L>
[[gnu::always_inline]] inline L tanh(L x) {
  const L e = expm1_nonpositive(scalar_of<L>(-2) * max(x, -x));
  const L t = -e / (e + scalar_of<L>(2));
  return x > scalar_of<L>(0) ? t : x < scalar_of<L>(0) ? -t : x;
}

/// x = 2^n m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1), by its series. Within 1 ulp.
template <class L>
[[gnu::always_inline]] inline L log(L x) {
#ifdef __clang__
#pragma clang fp reassociate(off)
#endif
  using T = scalar_of<L>;
  using F = detail::Format<T>;
  using Bits = detail::Bits<L>;
  using Limits = std::numeric_limits<T>;
  constexpr T lift = T(std::int64_t(1) << F::mantissa);
  const L normal = x < Limits::min() ? x * lift : x;
  const L lifted = x < Limits::min() ? L{} + T(F::mantissa) : L{};
  constexpr auto root_half = std::bit_cast<detail::IntegerLike<T> >(T(0.70710678118654752440));
  using Plain = Pack<std::make_unsigned_t<detail::IntegerLike<T> >, width_of<L> >;  // wraps where x is negative
  const Plain bits = std::bit_cast<Plain>(normal), root = Plain{} + scalar_of<Plain>(root_half);
  const Bits n = std::bit_cast<Bits>(bits - root) >> F::mantissa;
  const L m = std::bit_cast<L>(bits - (std::bit_cast<Plain>(n) << F::mantissa));
  constexpr T magic = T(3) * T(std::int64_t(1) << (F::mantissa - 1));
  const L whole = std::bit_cast<L>(n + std::bit_cast<detail::IntegerLike<T> >(magic)) - magic - lifted;
  const L s = (m - T(1)) / (m + T(1)), z = s * s;
  const L f = m - T(1), correction = s * (detail::polynomial(z, detail::log_series<T>) - f);  // 2 s = f - s f
  const L y = whole * F::ln2_high + (f + (correction + whole * F::ln2_low));
  return x > T(0) ? (x < Limits::infinity() ? y : x) : x == T(0) ? L{} - Limits::infinity() : L{} + Limits::quiet_NaN();
}

/// Correctly rounded. Spelled by instruction, since a loop over std::sqrt stops at every lane to set errno.
template <class L>
[[gnu::always_inline]] inline L sqrt(L x) {
  if constexpr (width_of<L> == 1) {
    return std::sqrt(x);
#if defined(__SSE2__)
  } else if constexpr (sizeof(L) >= 16) {
    struct Quarters {
      __m128 at[sizeof(L) / 16];
    };
    auto quarters = std::bit_cast<Quarters>(x);
    for (__m128& four : quarters.at)
      if constexpr (sizeof(scalar_of<L>) == 4)
        four = _mm_sqrt_ps(four);
      else
        four = _mm_castpd_ps(_mm_sqrt_pd(_mm_castps_pd(four)));
    return std::bit_cast<L>(quarters);
#endif
  } else {
    for (int j = 0; j < width_of<L>; ++j) x[j] = std::sqrt(x[j]);
    return x;
  }
}

#endif

/// 1 / (1 + e^-x), within 2.5 ulp; what would be denormal may be 0.
template <class L>
[[gnu::always_inline]] RWKV_HD inline L sigmoid(L x) {
  return scalar_of<L>(1) / (exp(-x) + scalar_of<L>(1));
}

}  // namespace rwkv::math
