#pragma once
#include <rwkv/ops/wkv4/walk.hpp>

// A span of tokens on one scale: where its keys lie close enough together, all weights are held as e^k / 2^M, and the
// sums need neither a running maximum nor a scale of their own, e^{u + k} being e^u e^k. Where they do not, walk.
// What came before the span enters every output as e^{t w} times what it was, so that the span's own sums stay apart.
namespace rwkv::detail {

/// The scale 2^M next to e^top.
template <class L>
class Scale {
  using T = scalar_of<L>;
  using B = Binary<T>;
  L base_;  // magic - M

 public:
  L exponent;
  RWKV_HD explicit Scale(L top) : exponent(whole_exponent(top)) { base_ = B::magic - exponent; }
  /// e^k / 2^M where both lie within a KeyRange that fits.
  [[gnu::always_inline]] RWKV_HD L of_key(L k) const {
#ifdef __CUDA_ARCH__
    const L whole = whole_exponent(k);
    return small_weight(remainder(k, whole)) * power(whole - exponent);
#else
    using Bits = math::detail::Bits<L>;
    const L shifted = k * B::log2_e + base_;  // the exponent less M in the low bits
    const L p = small_weight(remainder(k, shifted - base_));
    return std::bit_cast<L>(std::bit_cast<Bits>(p) + (std::bit_cast<Bits>(shifted) << B::mantissa));
#endif
  }
};

/// The largest and smallest exponents among n tokens and their past, and the past's pp after them.
template <dim_t C, class L>
struct KeyRange {
  using T = scalar_of<L>;
  static constexpr T width = sizeof(T) == 4 ? 40 : 300;  // e^-width is a normal number, its e^u fold and square too
  L top, low, pp;
  template <class Key, class I>
  RWKV_HD KeyRange(const Key* k, I i, dim_t n, L w, L before) : top(before), low(load(k, i)), pp(before) {
    for (; n > 0; --n, i = i + C) {
      prefetch(k, i + span * C);
      const L k_t = load(k, i);
      top = math::max(top, k_t), low = math::min(low, k_t), pp = math::max(pp + w, k_t);
    }
  }
  /// Whether every lane can be held on the scale of its top. NaN does not fit.
  RWKV_HD bool fits(L u) const {
    const L size = math::max(math::max(top, -top) * T(1. / 128), math::max(u, -u) * T(2));
    return reduce_lanes(math::max(top - low, size), [](auto a, auto b) { return math::max(a, b); }) <= width;
  }
};

/// Sums over tokens: e^w times what they are, and a token.
template <class L>
struct Sums {
  L a, b;
  [[gnu::always_inline]] RWKV_HD Sums after(L fade, L ev, L e) const { return {fade * a + ev, fade * b + e}; }
};

/// walk_tokens on one scale where that can be.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Past<L> stretch_tokens(const Wkv4Inputs<T>& in, T* y, I c, I i, dim_t n, const Channel<L>& channel,
                               const Past<L>& past) {
  const KeyRange<C, L> range(in.k, i, n, channel.token.log, past.pp);
  if (!range.fits(load(in.time_first, c))) return walk_tokens<Writes, C>(in, y, i, n, channel, past);
  const Scale<L> scale(range.top);
  const L enter = power(whole_exponent(past.pp) - scale.exponent), bonus = channel.bonus();
  const L fade = load(in.fades, fade_at(c, 1)), fade_2 = load(in.fades, fade_at(c, 2));
  const Sums<L> before{enter * past.aa, enter * past.bb};
  Sums<L> own{};
  if constexpr (Writes) {
    const auto output = [&](dim_t t, const Sums<L>& own, L ev, L e) __attribute__((always_inline)) {
      const L faded = load(in.fades, fade_at(c, t));
      store(y, i, (faded * before.a + (own.a + bonus * ev)) / (faded * before.b + (own.b + bonus * e)));
      prefetch(in.v, i + ahead * C), prefetch(y, i + ahead * C);
      i = i + C;
    };
    dim_t t = 0;
    for (; t + 1 < n; t += 2) {  // two at a time: half the chain
      const L e = scale.of_key(load(in.k, i)), ev = e * load(in.v, i);
      const L e_2 = scale.of_key(load(in.k, i + C)), ev_2 = e_2 * load(in.v, i + C);
      output(t, own, ev, e);
      output(t + 1, own.after(fade, ev, e), ev_2, e_2);
      own = own.after(fade_2, fade * ev + ev_2, fade * e + e_2);
    }
    if (t < n) {
      const L e = scale.of_key(load(in.k, i)), ev = e * load(in.v, i);
      output(t, own, ev, e);
      own = own.after(fade, ev, e);
    }
  } else {
    for (dim_t t = n; t-- > 0; i = i + C) {
      prefetch(in.v, i + ahead * C);
      const L e = load(in.fades, fade_at(c, t)) * scale.of_key(load(in.k, i));
      own = {own.a + e * load(in.v, i), own.b + e};
    }
  }
  auto after = past.then({own.a, own.b, range.top}, channel.over(n));
  const L down = power(scale.exponent - whole_exponent(range.pp));
  return {down * after.aa, down * after.bb, range.pp, down * after.aa_low, down * after.bb_low};
}

/// walk_back on one scale where that can be.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Adjoint<L> stretch_back(const Wkv4Inputs<T>& in, const Wkv4Gradients<T>& g, I c, I i, dim_t n,
                                const Channel<L>& channel, const Past<L>& start, const Past<L>& d) {
  const KeyRange<C, L> range(in.k, i, n, channel.token.log, start.pp);
  if (!range.fits(load(in.time_first, c))) return walk_back<Writes, C>(in, g, i, n, channel, start, d);
  const Scale<L> scale(range.top);
  const L enter = power(whole_exponent(start.pp) - scale.exponent), bonus = channel.bonus();
  const L fade = load(in.fades, fade_at(c, 1)), fade_2 = load(in.fades, fade_at(c, 2));
  const Sums<L> before{enter * start.aa, enter * start.bb};
  Sums<L> own{}, d_own{};
  L dw{}, du{};
  struct Kept {
    L e, a, b, q, y;
  } kept[Writes ? span : 1];
  const auto visit = [&](dim_t t, const Sums<L>& own, L ev, L e) __attribute__((always_inline)) {
    const L faded = load(in.fades, fade_at(c, t)), a = faded * before.a + own.a, b = faded * before.b + own.b;
    const L r = scalar_of<L>(1) / (b + bonus * e), q = load(g.dy, i) * r, y = (a + bonus * ev) * r;
    if constexpr (Writes)
      kept[t] = {e, a, b, q, y};
    else
      d_own = {d_own.a + faded * q, d_own.b - faded * (q * y)};
    prefetch(in.v, i + ahead * C), prefetch(g.dy, i + ahead * C);
    if constexpr (Writes) prefetch(g.dk, i), prefetch(g.dv, i);
    i = i + C;
  };
  dim_t t = 0;
  for (; t + 1 < n; t += 2) {
    const L e = scale.of_key(load(in.k, i)), ev = e * load(in.v, i);
    const L e_2 = scale.of_key(load(in.k, i + C)), ev_2 = e_2 * load(in.v, i + C);
    visit(t, own, ev, e);
    visit(t + 1, own.after(fade, ev, e), ev_2, e_2);
    own = own.after(fade_2, fade * ev + ev_2, fade * e + e_2);
  }
  if (t < n) {
    const L e = scale.of_key(load(in.k, i));
    visit(t, own, e * load(in.v, i), e);
  }
  if constexpr (Writes) {
    const L back = power(whole_exponent(d.pp) + scale.exponent);
    const Sums<L> after{back * d.aa, back * d.bb};
    const auto write = [&](dim_t t, const Sums<L>& own) __attribute__((always_inline)) {
      i = i - C;
      const Kept& at = kept[t];
      const L faded = load(in.fades, fade_at(c, n - 1 - t)), da = faded * after.a + own.a, db = faded * after.b + own.b;
      const L v_t = load(in.v, i), self = bonus * at.e * at.q, taken = self * (v_t - at.y);
      store(g.dv, i, self + at.e * da);
      store(g.dk, i, taken + at.e * (v_t * da + db));
      du = du + taken;
      dw = dw + (at.a * da + at.b * db);
    };
    for (t = n - 1; t > 0; t -= 2) {
      const L q = kept[t].q, qy = -q * kept[t].y, q_2 = kept[t - 1].q, qy_2 = -q_2 * kept[t - 1].y;
      write(t, d_own);
      write(t - 1, d_own.after(fade, q, qy));
      d_own = d_own.after(fade_2, fade * q + q_2, fade * qy + qy_2);
    }
    if (t == 0) {
      write(0, d_own);
      d_own = d_own.after(fade, kept[0].q, -kept[0].q * kept[0].y);
    }
    dw = fade * dw;
  }
  return {d.then({d_own.a, d_own.b, -range.top}, channel.over(n)), dw, du};
}

}  // namespace rwkv::detail
