#pragma once
#include <array>
#include <bit>

#include <rwkv/core/shape.hpp>
#include <rwkv/ops/wkv4/element.hpp>

// A span of tokens on one scale e^s: weights are e^{k - s}, which need no running maximum. The scale is that of the
// sums carried into the span where all its keys are within reach of it, else the middle of the keys. Where keys lie too
// far apart for any scale, the operator takes token after token.
namespace rwkv::wkv4 {

/// e^r for |r| <= ln2 / 2. In float the polynomial of smallest error: 7.5e-8 of e^r.
template <class T>
inline constexpr auto weight_series = [] {
  std::array<T, 14> a{1, 1};
  for (std::size_t n = 2; n < a.size(); ++n) a[n] = a[n - 1] / T(n);
  return a;
}();
template <>
inline constexpr std::array<float, 6> weight_series<float>{1.00000012f,  0.999999702f,  0.499988943f,
                                                           0.166675746f, 0.0419153832f, 0.0082976548f};

/// e^x for |x| <= 2 reach.
template <class L>
[[gnu::always_inline]] RWKV_HD inline L weight(L x) {
#ifdef __CUDA_ARCH__
  return ::exp(x);
#else
  using T = scalar_of<L>;
  using Bits = math::detail::Bits<L>;
  constexpr int mantissa = math::detail::Format<T>::mantissa;
  constexpr T magic = T(3) * T(std::int64_t(1) << (mantissa - 1));  // x + magic: x rounded, in the low bits
  const L shifted = x * T(1.44269504088896340736) + magic, r = x - (shifted - magic) * T(0.69314718055994530942);
  const L e = math::detail::polynomial(r, weight_series<T>);
  return std::bit_cast<L>(std::bit_cast<Bits>(e) + (std::bit_cast<Bits>(shifted) << mantissa));
#endif
}

/// Tokens between asking for a row and reading it: rows lie further apart than the hardware looks ahead.
inline constexpr dim_t ahead = 8;

/// The smallest exponent among the keys of n tokens, the largest among these and what came before, and the state's own
/// after them.
template <dim_t C, class L>
struct Keys {
  using T = scalar_of<L>;
  L low, top, pp;
  template <class Key, class I>
  [[gnu::always_inline]] RWKV_HD Keys(const Key* k, I i, dim_t n, L w, L before)
      : low(load(k, i)), top(before), pp(before) {
    for (; n > 0; --n, i = i + C) {
      prefetch(k, i + span * C);
      const L k_t = load(k, i);
      low = math::min(low, k_t), top = math::max(top, k_t), pp = math::max(pp + w, k_t);
    }
  }
  L middle() const { return low + (top - low) * T(0.5); }
  /// Whether every lane is within reach of its scale e^s. NaN is not.
  RWKV_HD bool within(L s, L u) const {
    const L farthest = math::max(math::max(top - s, s - low), math::max(u, -u) * T(2));
    return reduce_lanes(farthest, [](auto a, auto b) { return a > b ? a : b; }) <= reach<T>;
  }
};

/// Sums on a scale that is known.
template <class L>
struct Sums {
  L a, b;
  [[gnu::always_inline]] RWKV_HD Sums then(L fade, L more_a, L more_b) const {
    return {fade * a + more_a, fade * b + more_b};
  }
};

}  // namespace rwkv::wkv4
