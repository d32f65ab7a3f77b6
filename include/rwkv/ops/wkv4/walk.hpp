#pragma once
#include <rwkv/ops/wkv4/channels.hpp>

// WKV-4 token after token: right for any keys and decays.
namespace rwkv::detail {

/// Tokens between asking for a row and reading it: rows lie further apart than the hardware looks ahead.
inline constexpr dim_t ahead = 8;

/// A token: e^k = weight 2^exponent.
template <class L>
struct Token {
  L k, exponent, weight;
  [[gnu::always_inline]] RWKV_HD explicit Token(L key)
      : k(key), exponent(whole_exponent(key)), weight(mantissa(key, exponent)) {}
  /// e^{u + k} on the scale of a past: far above it only the token counts, far below it nothing is seen of it.
  [[gnu::always_inline]] RWKV_HD L now(const Channel<L>& channel, L past) const {
    constexpr bool single = sizeof(scalar_of<L>) == 4;
    const L least = broadcast<L>(single ? -120 : -1000), most = broadcast<L>(single ? 100 : 900);
    const L above = exponent + channel.bonus_exponent - whole_exponent(past);
    return weight * channel.bonus_mantissa * power(math::max(least, math::min(most, above)));
  }
  [[gnu::always_inline]] RWKV_HD Past<L> with(L v) const { return {weight * v, weight, k}; }
};

/// n tokens from index i on. Returns the past after them; writes y where asked to.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Past<L> walk_tokens(const Wkv4Inputs<T>& in, T* y, I i, dim_t n, const Channel<L>& channel, Past<L> past) {
  for (; n > 0; --n, i = i + C) {
    prefetch(in.k, i + ahead * C), prefetch(in.v, i + ahead * C);
    if constexpr (Writes) prefetch(y, i + ahead * C);
    const L v_t = load(in.v, i);
    const Token<L> token(load(in.k, i));
    if constexpr (Writes) {
      const L now = token.now(channel, past.pp);
      store(y, i, (past.aa + now * v_t) / (past.bb + now));
    }
    past = past.then(token.with(v_t), channel.token);
  }
  return past;
}

/// The gradients on the way: of the past's sums, and of w and u.
template <class L>
struct Adjoint {
  Past<L> past;
  L dw, du;
};

/// Back through n <= span tokens from index i on, forwards again first. With q_t = dy_t / (B_{t-1} + e^{u + k_t}) the
/// gradients of A and B obey
///
///   dA_{t-1} = e^w dA_t + q_t,   dB_{t-1} = e^w dB_t - q_t y_t
///
/// so that they are a past of elements (q_t, -q_t y_t), on the inverse of the scale of the past that q_t saw.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Adjoint<L> walk_back(const Wkv4Inputs<T>& in, const Wkv4Gradients<T>& g, I i, dim_t n,
                             const Channel<L>& channel, Past<L> past, Past<L> d) {
  struct Kept {
    L exponent, weight;  // of the token
    L aa, bb, pp;        // the past before it
    L q, self, y;        // q 2^E; what this token's weight takes of dy; the output
  } kept[span];
  for (dim_t t = 0; t < n; ++t, i = i + C) {
    prefetch(in.k, i + ahead * C), prefetch(in.v, i + ahead * C), prefetch(g.dy, i + ahead * C);
    if constexpr (Writes) prefetch(g.dk, i), prefetch(g.dv, i);
    const L v_t = load(in.v, i);
    const Token<L> token(load(in.k, i));
    const L now = token.now(channel, past.pp), r = scalar_of<L>(1) / (past.bb + now), q = load(g.dy, i) * r;
    kept[t] = {token.exponent, token.weight, past.aa, past.bb, past.pp, q, q * now, (past.aa + now * v_t) * r};
    past = past.then(token.with(v_t), channel.token);
  }
  L dw{}, du{};
  for (dim_t t = n; t-- > 0;) {
    i = i - C;
    const Kept& at = kept[t];
    if constexpr (Writes) {
      const L scale = whole_exponent(d.pp), v_t = load(in.v, i), bonus = at.self * (v_t - at.y);
      const L weight = at.weight * power(at.exponent + scale);
      store(g.dv, i, at.self + weight * d.aa);
      store(g.dk, i, bonus + weight * (v_t * d.aa + d.bb));
      du = du + bonus;
      dw = dw + (at.aa * d.aa + at.bb * d.bb) * power(whole_exponent(at.pp) + channel.token.exponent + scale);
    }
    d = d.then({at.q, -at.q * at.y, -at.pp}, channel.token);
  }
  return {d, dw + channel.token.rest * dw, du};
}

}  // namespace rwkv::detail
