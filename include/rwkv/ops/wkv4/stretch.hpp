#pragma once
#include <rwkv/ops/wkv4/walk.hpp>

// A span of tokens on one scale: where its keys lie close enough together, all weights are held as e^k / 2^M, and the
// sums need neither a running maximum nor a second exponential, e^{u + k} being e^u e^k. Where they do not, walk.
namespace rwkv::detail {

/// The scale 2^M next to e^top. A power of two, since then a key loses nothing by being compared with it.
template <class L>
class Scale {
  using T = scalar_of<L>;
  static constexpr int mantissa = sizeof(T) == 4 ? 23 : 52;
  static constexpr T magic = T(3) * T(std::int64_t(1) << (mantissa - 1)), log2_e = T(1.44269504088896340736);
  static constexpr T ln2_high = sizeof(T) == 4 ? 0.693359375 : 0.693145751953125;  // few bits: its multiples are exact
  static constexpr T ln2_low = sizeof(T) == 4 ? -2.12194440e-4 : 1.42860682030941723212e-6;
  L base_, high_, low_;  // magic - M; M ln2 = high + low

 public:
  RWKV_HD explicit Scale(L top) {
    const L whole = (top * log2_e + magic) - magic;
    base_ = magic - whole, high_ = whole * ln2_high, low_ = whole * ln2_low;
  }
  /// e^k / 2^M where both lie within a KeyRange that fits.
  RWKV_HD L of_key(L k) const {
#ifdef __CUDA_ARCH__
    return of(k);
#else
    using Bits = math::detail::Bits<L>;
    const L shifted = k * log2_e + base_, whole = shifted - base_;  // shifted: the exponent less M in the low bits
    const L p = small_weight((k - whole * ln2_high) - whole * ln2_low);
    return std::bit_cast<L>(std::bit_cast<Bits>(p) + (std::bit_cast<Bits>(shifted) << mantissa));
#endif
  }
  /// e^x / 2^M and its inverse, for any x.
  RWKV_HD L of(L x) const {
    return math::exp((x - high_) - low_);
  }
  RWKV_HD L over(L x) const {
    return math::exp((high_ - x) + low_);
  }
};

/// a -> e^w a + x. Near e^w = 1 the difference from 1 is what must be exact, far from it e^w itself.
template <class L>
struct Fading {
  L whole, rest;  // e^w = whole + rest, whole 0 or 1
  RWKV_HD explicit Fading(L w) {
    using T = scalar_of<L>;
    const auto near = w > T(-0.5);
    // e^w - 1 as 2 s / (1 - s), s = tanh(w / 2) by its continued fraction: no cancellation, and every machine has it
    const L h = w * T(0.5), z = h * h;
    const L s = h * (T(945) + z * (T(105) + z)) / (T(945) + z * (T(420) + z * T(15)));
    whole = near ? broadcast<L>(1) : L{};
    rest = near ? T(2) * s / (T(1) - s) : math::exp(w);
  }
  RWKV_HD L operator()(L a, L x) const { return whole * a + (rest * a + x); }
};

/// The largest and smallest exponents among n tokens and their past, and the past's pp after them.
template <dim_t C, class L>
struct KeyRange {
  using T = scalar_of<L>;
  static constexpr T width = sizeof(T) == 4 ? 40 : 300;  // e^-width is a normal number, its e^u fold and square too
  L top, low, pp;
  template <class I>
  RWKV_HD KeyRange(const T* k, I i, dim_t n, L w, L before) : top(before), low(load(k, i)), pp(before) {
    for (; n > 0; --n, i = i + C) {
      prefetch(k, i + span * C);
      const L k_t = load(k, i);
      top = math::max(top, k_t), low = math::min(low, k_t), pp = math::max(pp + w, k_t);
    }
  }
  /// Whether every lane can be held on the scale of its top. NaN does not fit.
  RWKV_HD bool fits(L u) const {
    const L size = math::max(math::max(top, -top) * T(1. / 128), math::max(u, -u) * T(2));
    return fold_lanes(math::max(top - low, size), [](auto a, auto b) { return math::max(a, b); }) <= width;
  }
};

/// walk_tokens on one scale where that can be.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Past<L> stretch_tokens(const T* k, const T* v, T* y, I i, dim_t n, L w, L u, L bonus, Fading<L> fade,
                               Past<L> past) {
  const KeyRange<C, L> range(k, i, n, w, past.pp);
  if (!range.fits(u)) return walk_tokens<Writes, C>(k, v, y, i, n, w, u, past);
  const Scale<L> scale(range.top);
  const L enter = scale.of(past.pp), leave = scale.over(range.pp);
  L a = enter * past.aa, b = enter * past.bb;
  for (; n > 0; --n, i = i + C) {
    prefetch(v, i + ahead * C);
    if constexpr (Writes) prefetch(y, i + ahead * C);
    const L e = scale.of_key(load(k, i)), ev = e * load(v, i);
    if constexpr (Writes) store(y, i, (a + bonus * ev) / (b + bonus * e));
    a = fade(a, ev), b = fade(b, e);
  }
  return {leave * a, leave * b, range.pp};
}

/// walk_back on one scale where that can be.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Adjoint<L> stretch_back(Wkv4Inputs<T> in, Wkv4Gradients<T> g, I i, dim_t n, L w, L u, L bonus, Fading<L> fade,
                                Past<L> start, Adjoint<L> d, bool last) {
  const KeyRange<C, L> range(in.k, i, n, w, start.pp);
  if (!range.fits(u)) return walk_back<Writes, C>(in, g, i, n, w, u, start, d, last);
  struct Token {
    L e, a, b, q, y;
  } kept[span];
  const Scale<L> scale(range.top);
  const L enter = scale.of(start.pp);
  L a = enter * start.aa, b = enter * start.bb;
  for (dim_t t = 0; t < n; ++t, i = i + C) {
    prefetch(in.v, i + ahead * C), prefetch(g.dy, i + ahead * C);
    if constexpr (Writes) prefetch(g.dk, i), prefetch(g.dv, i);
    const L e = scale.of_key(load(in.k, i)), ev = e * load(in.v, i);
    const L r = T(1) / (b + bonus * e);
    kept[t] = {e, a, b, load(g.dy, i) * r, (a + bonus * ev) * r};
    a = fade(a, ev), b = fade(b, e);
  }
  const L back = scale.over(last ? range.pp : -d.past.pp);
  L da = back * d.past.aa, db = back * d.past.bb, dw{}, du{};
  for (dim_t t = n; t-- > 0;) {
    i = i - C;
    const Token& at = kept[t];
    if constexpr (Writes) {
      const L v_t = load(in.v, i), self = bonus * at.e * at.q, taken = self * (v_t - at.y);
      store(g.dv, i, self + at.e * da);
      store(g.dk, i, taken + at.e * (v_t * da + db));
      du = du + taken;
      dw = dw + (at.a * da + at.b * db);
    }
    da = fade(da, at.q), db = fade(db, -at.q * at.y);
  }
  dw = fade(dw, L{});
  return {{enter * da, enter * db, -start.pp}, d.dw + dw, d.du + du};
}

}  // namespace rwkv::detail
