#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/lanes.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/view.hpp>

// The attention of RWKV-4 (RWKV paper, arXiv 2305.13048): every channel averages the values of its past, weighted by
// e^key and fading by e^w a token, w = -exp(time_decay) < 0; u = time_first is a bonus for the token at hand:
//
//   y_t = (A_{t-1} + e^{u + k_t} v_t) / (B_{t-1} + e^{u + k_t}),   A_t = e^w A_{t-1} + e^{k_t} v_t,   B_t = e^w B_{t-1}
//   + e^{k_t}
//
// What is stored is (aa, bb, pp) with A = aa e^pp and B = bb e^pp, pp the largest exponent so far: nothing overflows.
// A sequence without a past has aa = bb = 0 and pp = -1e38; an infinity there would make NaN.
namespace rwkv {

namespace detail {

/// e^a and e^b, both divided by the larger of them: one exponential, never above 1.
template <class L>
struct Balance {
  L of_a, of_b, top;
  RWKV_HD Balance(L a, L b) {
    const L difference = a - b, one = broadcast<L>(1), zero{};
    const auto b_wins = difference < zero;
    const L e = math::exp_nonpositive(b_wins ? difference : -difference);
    of_a = b_wins ? e : one;
    of_b = b_wins ? one : e;
    top = b_wins ? b : a;
  }
};

/// The past of a channel, or the gradient with respect to it: rows aa, bb, pp of a (..., 3, C).
template <class L>
struct Past {
  L aa, bb, pp;
  template <class T, class I>
  static RWKV_HD Past read(const T* p, I i, dim_t C) {
    return {load(p, i), load(p, i + C), load(p, i + 2 * C)};
  }
  template <class T, class I>
  RWKV_HD void write(T* p, I i, dim_t C) const {
    store(p, i, aa), store(p, i + C, bb), store(p, i + 2 * C, pp);
  }
};

/// How many tokens ahead rows are asked for.
inline constexpr dim_t ahead = 16;

/// A step is a span of tokens.
template <class T, dim_t C>
struct Wkv4Forward {
  Seq seq;
  const T *time_decay, *time_first, *k, *v;
  T *y, *state, *starts;

  RWKV_HD void operator()(dim_t b, auto c, dim_t n) const {
    using L = At<T, decltype(c)>;
    const L w = -math::exp(load(time_decay, c)), u = load(time_first, c);
    Past<L> past = Past<L>::read(state, b * 3 * C + c, C);
    if (starts) past.write(starts, (b * seq.spans() + n) * 3 * C + c, C);
    for (dim_t t = n * span, end = t + span < seq.time ? t + span : seq.time; t < end; ++t) {
      const auto i = (b * seq.time + t) * C + c;
      prefetch(k, i + ahead * C), prefetch(v, i + ahead * C);
      const L k_t = load(k, i), v_t = load(v, i);
      const Balance<L> now(past.pp, u + k_t), next(past.pp + w, k_t);
      store(y, i, (now.of_a * past.aa + now.of_b * v_t) / (now.of_a * past.bb + now.of_b));
      past = {next.of_a * past.aa + next.of_b * v_t, next.of_a * past.bb + next.of_b, next.top};
    }
    past.write(state, b * 3 * C + c, C);
  }
};

/// A step is a span of tokens, the last first: forwards again through it, then back. With q_t = dy_t / (B_{t-1} + e^{u
/// + k_t}) the gradients of A and B obey
///
///   dA_{t-1} = e^w dA_t + q_t,   dB_{t-1} = e^w dB_t - q_t y_t
///
/// and are held times e^{pp_t}: then they are the gradients of aa_t and bb_t, and the way back needs no exponential.
template <class T, dim_t C>
struct Wkv4Backward {
  Seq seq;
  const T *time_decay, *time_first, *k, *v, *starts, *dy;
  T *dk, *dv, *dstate, *sums;

  RWKV_HD void operator()(dim_t b, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    struct Token {
      L fade, fresh;          // the shares of the past and of this token in the next state
      L faded_aa, faded_bb;   // what is left there of the past
      L to_past, to_self, y;  // dy's shares in the gradients of the past and of this token
    } kept[span];

    const dim_t n = seq.spans() - 1 - step, first = n * span, end = first + span < seq.time ? first + span : seq.time;
    const L w = -math::exp(load(time_decay, c)), u = load(time_first, c);
    const auto start = Past<L>::read(starts, (b * seq.spans() + n) * 3 * C + c, C);
    Past<L> past = start;
    for (dim_t t = first; t < end; ++t) {
      const auto i = (b * seq.time + t) * C + c;
      const L k_t = load(k, i), v_t = load(v, i);
      const Balance<L> now(past.pp, u + k_t), next(past.pp + w, k_t);
      const L r = T(1) / (now.of_a * past.bb + now.of_b), q = load(dy, i) * r;
      const L faded_aa = next.of_a * past.aa, faded_bb = next.of_a * past.bb;
      kept[t - first] = {next.of_a,
                         next.of_b,
                         faded_aa,
                         faded_bb,
                         q * now.of_a,
                         q * now.of_b,
                         (now.of_a * past.aa + now.of_b * v_t) * r};
      past = {faded_aa + next.of_b * v_t, faded_bb + next.of_b, next.top};
    }

    const auto s = b * 3 * C + c, of_w = b * 2 * C + c, of_u = of_w + C;
    L daa = load(dstate, s), dbb = load(dstate, s + C);
    L dw = step == 0 ? L{} : load(sums, of_w), du = step == 0 ? L{} : load(sums, of_u);
    for (dim_t t = end; t-- > first;) {
      const auto i = (b * seq.time + t) * C + c;
      const Token& at = kept[t - first];
      const L v_t = load(v, i), bonus = at.to_self * (v_t - at.y);
      store(dv, i, at.to_self + at.fresh * daa);
      store(dk, i, bonus + at.fresh * (v_t * daa + dbb));
      du = du + bonus;
      dw = dw + (at.faded_aa * daa + at.faded_bb * dbb);
      daa = at.fade * daa + at.to_past;
      dbb = at.fade * dbb - at.to_past * at.y;
    }
    store(sums, of_w, dw), store(sums, of_u, du);
    Past<L>{daa, dbb, start.aa * daa + start.bb * dbb}.write(dstate, s, C);
  }
};

/// The gradients of a layer: sums over its sequences, the first to the last.
template <class T, dim_t C>
struct Wkv4Parameters {
  dim_t batch;
  const T *time_decay, *sums;
  T *dtime_decay, *dtime_first;

  RWKV_HD void operator()(dim_t, auto c) const {
    using L = At<T, decltype(c)>;
    L dw{}, du{};
    for (dim_t b = 0; b < batch; ++b) {
      dw = dw + load(sums, b * 2 * C + c);
      du = du + load(sums, b * 2 * C + C + c);
    }
    store(dtime_decay, c, load(dtime_decay, c) - math::exp(load(time_decay, c)) * dw);  // dw/dtime_decay = w
    store(dtime_first, c, load(dtime_first, c) + du);
  }
};

}  // namespace detail

/// y from k and v. state (aa, bb, pp) is the past before the first token and becomes the past after the last; starts
/// keeps it before every span for wkv4_backward, its data may be null where there is no way back. y may be k or v
/// itself.
template <class B, dim_t C>
void wkv4_forward(Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                  Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> y, Tensor<B, Batch, 3, C> state,
                  Tensor<B, Batch, Spans, 3, C> starts) {
  const Seq seq = k.seq;
  B::walk(seq.batch, C, seq.spans(),
          detail::Wkv4Forward<typename B::scalar, C>{seq, time_decay.data, time_first.data, k.data, v.data, y.data,
                                                     state.data, starts.data});
}

/// Writes dk and dv, adds to dtime_decay and dtime_first. dstate comes in as the gradient of the last state and goes
/// out as the gradient of the first. (aa, bb, pp) and (aa e^-x, bb e^-x, pp + x) are the same past: a loss that agrees
/// has dpp = aa daa + bb dbb, so dpp goes out and need not come in. sums is scratch. dk may be k, dy or neither, dv
/// likewise.
template <class B, dim_t C>
void wkv4_backward(Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                   Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Spans, 3, C> starts, Tensor<B, Batch, Time, C> dy,
                   Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv, Tensor<B, C> dtime_decay,
                   Tensor<B, C> dtime_first, Tensor<B, Batch, 3, C> dstate, Tensor<B, Batch, 2, C> sums) {
  using T = typename B::scalar;
  const Seq seq = k.seq;
  if (seq.time == 0) return;
  B::walk(seq.batch, C, seq.spans(),
          detail::Wkv4Backward<T, C>{seq, time_decay.data, time_first.data, k.data, v.data, starts.data, dy.data,
                                     dk.data, dv.data, dstate.data, sums.data});
  B::for_each(1, C,
              detail::Wkv4Parameters<T, C>{seq.batch, time_decay.data, sums.data, dtime_decay.data, dtime_first.data});
}

}  // namespace rwkv
