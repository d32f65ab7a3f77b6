#pragma once
#include <array>
#include <bit>
#include <cstdint>

#include <rwkv/core/lanes.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/shape.hpp>

// The element of WKV-4's recurrence and its one operator. A stretch of tokens turns the sums A, B before it into
// e^{n w} A + aa e^pp, e^{n w} B + bb e^pp: (aa, bb, pp) says all about it. A past is the stretch since the beginning,
// a token is (v, 1, k), and the gradients of A and B obey the same law from the end, with -pp for pp.
namespace rwkv::detail {

#ifndef __CUDA_ARCH__
/// (e^r - 1 - r) / r^2 for |r| <= ln2 / 2. In float the polynomial of smallest error, 3e-9 of e^r.
template <class T>
inline constexpr auto weight_series = math::detail::exp_series<T>;
template <>
inline constexpr std::array<float, 5> weight_series<float>{0.49999993f, 0.1666652f, 0.041668394f, 0.0083687804f,
                                                           0.0013814467f};

/// e^r for |r| <= ln2 / 2.
template <class L>
L small_weight(L r) {
  using T = scalar_of<L>;
  constexpr auto& a = weight_series<T>;
  constexpr int n = static_cast<int>(a.size());
  const L square = r * r;
  L p = n % 2 ? L{} + a[n - 1] : a[n - 1] * r + a[n - 2];  // pairs of terms: half the chain of Horner's rule
#pragma GCC unroll 8
  for (int i = n - 4 + n % 2; i >= 0; i -= 2) p = p * square + (a[i + 1] * r + a[i]);
  return p * square + (r + T(1));
}
#endif

/// e^x for |x| <= 64, in double 512. Its relative error grows with |x|, while its share beside 1 falls; in return it
/// takes two thirds of math::exp's instructions and half of its latency, and WKV-4 is made of little else.
template <class L>
RWKV_HD L weight(L x) {
#ifdef __CUDA_ARCH__
  return math::exp(x);
#else
  using T = scalar_of<L>;
  using Bits = math::detail::Bits<L>;
  constexpr int mantissa = math::detail::Format<T>::mantissa;
  constexpr T magic = T(3) * T(std::int64_t(1) << (mantissa - 1));  // see math::detail::Exponential
  const L shifted = x * T(1.44269504088896340736) + magic, whole = shifted - magic;
  const L p = small_weight(x - whole * T(0.69314718055994530942));
  return std::bit_cast<L>(std::bit_cast<Bits>(p) + (std::bit_cast<Bits>(shifted) << mantissa));
#endif
}

/// Exponents are kept within +-limit: e^64 a sum can hold, e^-64 beside 1 it cannot see. The bounds are made of a
/// number met at run time, since g++ 12 compares with a constant in two instructions instead of one.
template <class L>
struct Bounds {
  using T = scalar_of<L>;
  static constexpr T limit = sizeof(T) == 4 ? 64 : 512;
  L low, high;
  RWKV_HD explicit Bounds(L any) : low(any * T(0) - limit), high(-low) {}
  RWKV_HD L operator()(L x) const { return math::max(low, math::min(high, x)); }
};

/// e^a and e^b, both divided by the larger of them, e^top: one exponential, never above 1.
template <class L>
struct Balance {
  L of_a, of_b, top;
  RWKV_HD Balance(L a, L b, const Bounds<L>& within) : Balance(a, b, a - b, within) {}
  /// The same where their difference is known better than a and b are.
  RWKV_HD Balance(L a, L b, L difference, const Bounds<L>& within) : top(math::max(a, b)) {
    const L one = broadcast<L>(1), e = weight(math::max(within.low, math::min(difference, -difference)));
    const auto b_wins = difference < L{};
    of_a = b_wins ? e : one;
    of_b = b_wins ? one : e;
  }
};

/// The past of a channel, or the gradient with respect to it: rows aa, bb, pp of a (..., 3, C).
template <class L>
struct Past {
  L aa, bb, pp;
  /// No tokens: any finite pp that no key reaches; an infinity would make NaN.
  static RWKV_HD Past none() { return {L{}, L{}, broadcast<L>(scalar_of<L>(-1e38))}; }
  template <class T, class I>
  static RWKV_HD Past read(const T* p, I i, dim_t C) {
    return {load(p, i), load(p, i + C), load(p, i + 2 * C)};
  }
  template <class T, class I>
  RWKV_HD void write(T* p, I i, dim_t C) const {
    store(p, i, aa), store(p, i + C, bb), store(p, i + 2 * C, pp);
  }
  /// The operator: this, faded by e^decay over the tokens of `later`, and then `later`. Associative, not commutative.
  RWKV_HD Past then(const Past& later, L decay, const Bounds<L>& within) const {
    // The faded exponent is rounded, and over many blocks that would add up: the shares make up for it.
    const L faded = pp + decay, exact = (pp - later.pp) + decay, added = faded - pp;
    const L lost = (pp - (faded - added)) + (decay - added), most = broadcast<L>(scalar_of<L>(0.01));
    const Balance<L> share(faded, later.pp, exact, within);
    const L kept = share.top > later.pp ? math::max(-most, math::min(most, lost)) : L{};
    const L of_this = share.of_a + share.of_a * kept, of_later = share.of_b + share.of_b * kept;
    return {of_this * aa + of_later * later.aa, of_this * bb + of_later * later.bb, share.top};
  }
};

/// Tokens between asking for a row and reading it: rows lie further apart than the hardware looks ahead.
inline constexpr dim_t ahead = 8;

/// What WKV-4 is made from.
template <class T>
struct Wkv4Inputs {
  Seq seq;
  const T *time_decay, *time_first, *k, *v;
};
template <class T>
struct Wkv4Gradients {
  const T *starts, *dy;
  T *dk, *dv;
};

}  // namespace rwkv::detail
