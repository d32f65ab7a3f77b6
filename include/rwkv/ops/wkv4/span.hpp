#pragma once
#include <array>
#include <bit>

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
#ifdef __clang__
#pragma clang fp reassociate(off)
#endif
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
  L low, top, pp;
  template <class Key, class Index>
  [[gnu::always_inline]] RWKV_HD Keys(const Key* k, Index i, dim_t n, L w, L before)
      : low(load(k, i)), top(before), pp(before) {
    for (; n > 0; --n, i = i + C) {
      prefetch(k, i + span * C);
      const L k_t = load(k, i);
      low = math::min(low, k_t), top = math::max(top, k_t), pp = math::max(pp + w, k_t);
    }
  }
  RWKV_HD L middle() const { return low + (top - low) * scalar_of<L>(0.5); }
  /// Whether every lane is within reach of its scale e^s. NaN is not.
  RWKV_HD bool within(L s, L u) const {
    const L most = broadcast<L>(reach<scalar_of<L>>), no = broadcast<L>(1);
    L outside = top - s <= most ? L{} : no;
    outside = s - low <= most ? outside : no;
    outside = math::max(u, -u) * scalar_of<L>(2) <= most ? outside : no;
    return reduce_lanes(outside, [](auto a, auto b) { return a + b; }) == 0;
  }
};

/// n <= span tokens from index i on: the outputs where asked to, and the state after them.
template <bool Writes, dim_t C, class T, class Index, class L>
RWKV_HD Element<L> span_forward(const Inputs<T>& in, T* y, Index i, dim_t n, const Channel<L>& channel,
                                Element<L> state) {
  const L decay = channel.w * scalar_of<L>(n);
  const Keys<C, L> keys(in.k, i, n, channel.w, state.top);
  const auto next = [&] {
    prefetch(in.v, i + ahead * C);
    if constexpr (Writes) prefetch(y, i + ahead * C);
    i = i + C;
  };
  if (!keys.within(state.top, channel.u) && keys.within(keys.middle(), channel.u)) state = state.on(keys.middle());
  if (keys.within(state.top, channel.u)) {
    Element<L> all = state, own{L{}, L{}, state.top};
    for (; n > 0; --n) {
      const L e = weight(load(in.k, i) - state.top), ev = e * load(in.v, i);
      if constexpr (Writes) {
        store(y, i, (all.a + channel.bonus * ev) / (all.b + channel.bonus * e));
        all = all.then(channel.fade, ev, e);
      }
      own = own.then(channel.fade, ev, e);
      next();
    }
    return state.then(own, decay).on(keys.pp);
  }
  Element<L> all = state, own;
  for (; n > 0; --n) {
    const Token<L> token(all, channel.u, load(in.k, i), load(in.v, i));
    if constexpr (Writes) store(y, i, token.y);
    all = all.with_token(token.k, token.v, channel.w);
    own = own.with_token(token.k, token.v, channel.w);
    next();
  }
  const Element<L> after = state.then(own, decay);
  const L apart = after.top - keys.pp;  // rounding, or more than that where exponents are huge
  return after.on(apart * apart < scalar_of<L>(1) ? keys.pp : after.top);
}

/// Back through n <= span tokens from index i on, which followed `start`; forwards again first. With
/// q_t = dy_t / (B_{t-1} + e^{u + k_t}) the gradients of A and B obey
///
///   dA_{t-1} = e^w dA_t + q_t,   dB_{t-1} = e^w dB_t - q_t y_t
///
/// on the inverse of the scale of A and B. Adds to the gradients of w and u, in rows of `sums` from j on.
template <bool Writes, dim_t C, class T, class Index, class L>
RWKV_HD Element<L> span_backward(const Inputs<T>& in, const Gradients<T>& g, Index i, dim_t n,
                                 const Channel<L>& channel, const Element<L>& start, const Element<L>& after,
                                 compute_of<T>* sums, Index j) {
  const L decay = channel.w * scalar_of<L>(n), fade = channel.fade, bonus = channel.bonus;
  const Keys<C, L> keys(in.k, i, n, channel.w, start.top);
  const auto next = [&] {
    prefetch(in.v, i + ahead * C), prefetch(g.dy, i + ahead * C);
    if constexpr (Writes) prefetch(g.dk, i), prefetch(g.dv, i);
    i = i + C;
  };
  Element<L> d = after;
  if (!keys.within(-d.top, channel.u) && keys.within(keys.middle(), channel.u)) d = d.on(-keys.middle());
  Element<L> own;
  L dw{}, du{};
  if (keys.within(-d.top, channel.u)) {
    const L s = -d.top;
    Element<L> all = start.on(s), d_all = d;
    own.top = d.top;
    struct Kept {
      L e, a, b, q, y;  // a, b: what of the sums is left a token later
    } kept[Writes ? span : 1];
    L faded = broadcast<L>(1);
    for (dim_t t = 0; t < n; ++t) {
      const L e = weight(load(in.k, i) - s), ev = e * load(in.v, i);
      const L over = scalar_of<L>(1) / (all.b + bonus * e), q = load(g.dy, i) * over, y = (all.a + bonus * ev) * over;
      if constexpr (Writes)
        kept[t] = {e, fade * all.a, fade * all.b, q, y};
      else
        own = {own.a + faded * q, own.b - faded * (q * y), d.top}, faded = faded * fade;
      all = all.then(fade, ev, e);
      next();
    }
    if constexpr (Writes) {
      for (dim_t t = n; t-- > 0;) {
        i = i - C;
        const Kept& at = kept[t];
        const L v_t = load(in.v, i), self = bonus * at.e * at.q, du_t = self * (v_t - at.y), minus_qy = -at.q * at.y;
        store(g.dv, i, self + at.e * d_all.a);
        store(g.dk, i, du_t + at.e * (v_t * d_all.a + d_all.b));
        du = du + du_t, dw = dw + (at.a * d_all.a + at.b * d_all.b);
        d_all = d_all.then(fade, at.q, minus_qy), own = own.then(fade, at.q, minus_qy);
      }
    }
  } else {
    d = after;
    Element<L> all = start, d_all = d;
    std::array<Token<L>, span> tokens;
    for (dim_t t = 0; t < n; ++t) {
      tokens[t] = Token<L>(all, channel.u, load(in.k, i), load(in.v, i));
      all = all.with_token(tokens[t].k, tokens[t].v, channel.w);
      next();
    }
    while (n-- > 0) {
      i = i - C;
      const L dy = load(g.dy, i);
      if constexpr (Writes) {
        const TokenGradients<L> of(tokens[n], channel.w, dy, d_all);
        store(g.dk, i, of.dk), store(g.dv, i, of.dv);
        dw = dw + of.dw, du = du + of.du;
      }
      d_all = d_all.then(tokens[n].adjoint(dy), channel.w), own = own.then(tokens[n].adjoint(dy), channel.w);
    }
  }
  if constexpr (Writes) store(sums, j, load(sums, j) + dw), store(sums, j + C, load(sums, j + C) + du);
  return d.then(own, decay);
}

}  // namespace rwkv::wkv4
