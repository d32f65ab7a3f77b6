#pragma once
#include <rwkv/core/shape.hpp>
#include <rwkv/ops/wkv4/past.hpp>

// WKV-4 token after token, every weight beside the largest of its past: right for any keys and decays.
namespace rwkv::detail {

/// n tokens from index i on. Returns the past after them; writes y where asked to.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Past<L> walk_tokens(const T* k, const T* v, T* y, I i, dim_t n, L w, L u, Past<L> past) {
  const Bounds<L> within(u);
  for (; n > 0; --n, i = i + C) {
    prefetch(k, i + ahead * C), prefetch(v, i + ahead * C);
    if constexpr (Writes) prefetch(y, i + ahead * C);
    const L k_t = load(k, i), v_t = load(v, i);
    const Balance<L> next(past.pp + w, k_t, within);
    if constexpr (Writes) {
      const L now = weight(within(u + k_t - past.pp));
      store(y, i, (past.aa + now * v_t) / (past.bb + now));
    }
    past = {next.of_a * past.aa + next.of_b * v_t, next.of_a * past.bb + next.of_b, next.top};
  }
  return past;
}

/// The gradients on the way: of the past, as the past it stands for (pp = -pp of the state it belongs to), and the
/// sums for w and u.
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
/// and are held times e^{pp_t}: then they are the gradients of aa_t and bb_t, and the way back needs no exponential.
/// `last`: the state after these tokens is the last one, whose pp nobody told.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Adjoint<L> walk_back(Wkv4Inputs<T> in, Wkv4Gradients<T> g, I i, dim_t n, L w, L u, Past<L> start, Adjoint<L> d,
                             bool last) {
  struct Token {
    L fade, fresh;         // the shares of the past and of this token in the next state
    L faded_aa, faded_bb;  // what is left there of the past
    L q, self, y;          // q e^pp; what this token's weight takes of dy; the output
  } kept[span];

  const Bounds<L> within(u);
  auto past = start;
  for (dim_t t = 0; t < n; ++t, i = i + C) {
    prefetch(in.k, i + ahead * C), prefetch(in.v, i + ahead * C), prefetch(g.dy, i + ahead * C);
    if constexpr (Writes) prefetch(g.dk, i), prefetch(g.dv, i);
    const L k_t = load(in.k, i), v_t = load(in.v, i), now = weight(within(u + k_t - past.pp));
    const Balance<L> next(past.pp + w, k_t, within);
    const L r = T(1) / (past.bb + now), q = load(g.dy, i) * r;
    const L faded_aa = next.of_a * past.aa, faded_bb = next.of_a * past.bb;
    kept[t] = {next.of_a, next.of_b, faded_aa, faded_bb, q, q * now, (past.aa + now * v_t) * r};
    past = {faded_aa + next.of_b * v_t, faded_bb + next.of_b, next.top};
  }

  const L enter = last ? broadcast<L>(1) : weight(within(past.pp + d.past.pp));
  L daa = enter * d.past.aa, dbb = enter * d.past.bb, dw{}, du{};
  for (dim_t t = n; t-- > 0;) {
    i = i - C;
    const Token& at = kept[t];
    if constexpr (Writes) {
      const L v_t = load(in.v, i), bonus = at.self * (v_t - at.y);
      store(g.dv, i, at.self + at.fresh * daa);
      store(g.dk, i, bonus + at.fresh * (v_t * daa + dbb));
      du = du + bonus;
      dw = dw + (at.faded_aa * daa + at.faded_bb * dbb);
    }
    daa = at.fade * daa + at.q;
    dbb = at.fade * dbb - at.q * at.y;
  }
  return {{daa, dbb, -start.pp}, d.dw + dw, d.du + du};
}

/// A step is a span of tokens.
template <class T, dim_t C>
struct Wkv4Forward {
  Wkv4Inputs<T> in;
  T *y, *state, *starts;

  RWKV_HD void operator()(dim_t b, auto c, dim_t n) const {
    using L = At<T, decltype(c)>;
    const auto [in, y, state, starts] = *this;  // no store can change a local copy
    const L w = -math::exp(load(in.time_decay, c)), u = load(in.time_first, c);
    const auto past = Past<L>::read(state, b * 3 * C + c, C);
    if (starts) past.write(starts, (b * in.seq.spans() + n) * 3 * C + c, C);
    const dim_t first = n * span, left = in.seq.time - first;
    walk_tokens<true, C>(in.k, in.v, y, (b * in.seq.time + first) * C + c, left < span ? left : span, w, u, past)
        .write(state, b * 3 * C + c, C);
  }
};

/// A step is a span of tokens, the last first.
template <class T, dim_t C>
struct Wkv4Backward {
  Wkv4Inputs<T> in;
  Wkv4Gradients<T> g;
  T *dstate, *sums;

  RWKV_HD void operator()(dim_t b, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    const auto [in, g, dstate, sums] = *this;
    const dim_t spans = in.seq.spans(), n = spans - 1 - step, first = n * span, left = in.seq.time - first;
    const L w = -math::exp(load(in.time_decay, c)), u = load(in.time_first, c);
    const auto start = Past<L>::read(g.starts, (b * spans + n) * 3 * C + c, C);
    const auto s = b * 3 * C + c, of_w = b * 2 * C + c, of_u = of_w + C;
    Adjoint<L> d{Past<L>::read(dstate, s, C), L{}, L{}};
    if (step > 0) d.dw = load(sums, of_w), d.du = load(sums, of_u);
    d = walk_back<true, C>(in, g, (b * in.seq.time + first) * C + c, left < span ? left : span, w, u, start, d,
                           step == 0);
    store(sums, of_w, d.dw), store(sums, of_u, d.du);
    if (n == 0) d.past.pp = start.aa * d.past.aa + start.bb * d.past.bb;
    d.past.write(dstate, s, C);
  }
};

/// The gradients of a layer: sums over its sequences, or parts of them, the first to the last.
template <class T, dim_t C>
struct Wkv4Parameters {
  dim_t parts;
  const T *time_decay, *sums;
  T *dtime_decay, *dtime_first;

  RWKV_HD void operator()(dim_t, auto c) const {
    using L = At<T, decltype(c)>;
    L dw{}, du{};
    for (dim_t b = 0; b < parts; ++b) {
      dw = dw + load(sums, b * 2 * C + c);
      du = du + load(sums, b * 2 * C + C + c);
    }
    store(dtime_decay, c, load(dtime_decay, c) - math::exp(load(time_decay, c)) * dw);  // dw/dtime_decay = w
    store(dtime_first, c, load(dtime_first, c) + du);
  }
};

}  // namespace rwkv::detail
