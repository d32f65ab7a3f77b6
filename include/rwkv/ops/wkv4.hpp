#pragma once
#include <array>
#include <bit>
#include <cstdint>

#include <rwkv/backend/backend.hpp>
#include <rwkv/core/lanes.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/view.hpp>

// The attention of RWKV-4 (RWKV paper, arXiv 2305.13048): every channel averages the values of its past, weighted by
// e^key and fading by e^w a token, w = -exp(time_decay) < 0; u = time_first is a bonus for the token at hand:
//
//   y_t = (A_{t-1} + e^{u + k_t} v_t) / (B_{t-1} + e^{u + k_t})
//   A_t = e^w A_{t-1} + e^{k_t} v_t,   B_t = e^w B_{t-1} + e^{k_t}
//
// The stable form stores (aa, bb, pp) with A = aa e^pp, B = bb e^pp and pp the largest exponent in them, so that bb
// lies between 1 and the number of tokens. No past is aa = bb = 0, pp = -1e38; an infinity there would make NaN.
namespace rwkv {

namespace detail {

/// (e^r - 1 - r) / r^2 for |r| <= ln2 / 2. In float the polynomial of smallest error, 3e-9 of e^r.
template <class T>
inline constexpr auto weight_series = math::detail::exp_series<T>;
template <>
inline constexpr std::array<float, 5> weight_series<float>{0.49999993f, 0.1666652f, 0.041668394f, 0.0083687804f,
                                                           0.0013814467f};

/// e^x for |x| <= 64, in double 512. Its relative error grows with |x|, while its share beside 1 falls; in return it
/// takes two thirds of math::exp's instructions and half of its latency, and WKV-4 is made of little else.
template <class L>
RWKV_HD L weight(L x) {
#ifdef __CUDA_ARCH__
  return math::exp(x);
#else
  using T = scalar_of<L>;
  using Bits = math::detail::Bits<L>;
  constexpr int mantissa = math::detail::Format<T>::mantissa, n = static_cast<int>(weight_series<T>.size());
  constexpr T magic = T(3) * T(std::int64_t(1) << (mantissa - 1));  // see math::detail::Exponential
  constexpr auto& a = weight_series<T>;
  const L shifted = x * T(1.44269504088896340736) + magic, whole = shifted - magic;
  const L r = x - whole * T(0.69314718055994530942), square = r * r;
  L p = n % 2 ? L{} + a[n - 1] : a[n - 1] * r + a[n - 2];  // pairs of terms: half the chain of Horner's rule
#pragma GCC unroll 8
  for (int i = n - 4 + n % 2; i >= 0; i -= 2) p = p * square + (a[i + 1] * r + a[i]);
  p = p * square + (r + T(1));
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
  RWKV_HD Balance(L a, L b, const Bounds<L>& within) : top(math::max(a, b)) {
    const L difference = a - b, one = broadcast<L>(1);
    const L e = weight(math::max(within.low, math::min(difference, -difference)));
    const auto b_wins = difference < L{};
    of_a = b_wins ? e : one;
    of_b = b_wins ? one : e;
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

/// Tokens between asking for a row and reading it: rows lie further apart than the hardware looks ahead.
inline constexpr dim_t ahead = 8;

/// A step is a span of tokens.
template <class T, dim_t C>
struct Wkv4Forward {
  Seq seq;
  const T *time_decay, *time_first, *k, *v;
  T *y, *state, *starts;

  RWKV_HD void operator()(dim_t b, auto c, dim_t n) const {
    using L = At<T, decltype(c)>;
    const auto [seq, time_decay, time_first, k, v, y, state, starts] = *this;  // no store can change a local copy
    const L w = -math::exp(load(time_decay, c)), u = load(time_first, c);
    const Bounds<L> within(u);
    auto past = Past<L>::read(state, b * 3 * C + c, C);
    if (starts) past.write(starts, (b * seq.spans() + n) * 3 * C + c, C);
    for (dim_t t = n * span, end = t + span < seq.time ? t + span : seq.time; t < end; ++t) {
      const auto i = (b * seq.time + t) * C + c;
      prefetch(k, i + ahead * C), prefetch(v, i + ahead * C), prefetch(y, i + ahead * C);
      const L k_t = load(k, i), v_t = load(v, i), now = weight(within(u + k_t - past.pp));
      const Balance<L> next(past.pp + w, k_t, within);
      store(y, i, (past.aa + now * v_t) / (past.bb + now));
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
    const auto [seq, time_decay, time_first, k, v, starts, dy, dk, dv, dstate, sums] = *this;
    struct Token {
      L fade, fresh;         // the shares of the past and of this token in the next state
      L faded_aa, faded_bb;  // what is left there of the past
      L q, self, y;          // q e^pp; what this token's weight takes of dy; the output
    } kept[span];

    const dim_t n = seq.spans() - 1 - step, first = n * span, end = first + span < seq.time ? first + span : seq.time;
    const L w = -math::exp(load(time_decay, c)), u = load(time_first, c);
    const Bounds<L> within(u);
    const auto start = Past<L>::read(starts, (b * seq.spans() + n) * 3 * C + c, C);
    auto past = start;
    for (dim_t t = first; t < end; ++t) {
      const auto i = (b * seq.time + t) * C + c;
      prefetch(k, i + ahead * C), prefetch(v, i + ahead * C), prefetch(dy, i + ahead * C);
      prefetch(dk, i), prefetch(dv, i);
      const L k_t = load(k, i), v_t = load(v, i), now = weight(within(u + k_t - past.pp));
      const Balance<L> next(past.pp + w, k_t, within);
      const L r = T(1) / (past.bb + now), q = load(dy, i) * r;
      const L faded_aa = next.of_a * past.aa, faded_bb = next.of_a * past.bb;
      kept[t - first] = {next.of_a, next.of_b, faded_aa, faded_bb, q, q * now, (past.aa + now * v_t) * r};
      past = {faded_aa + next.of_b * v_t, faded_bb + next.of_b, next.top};
    }

    const auto s = b * 3 * C + c, of_w = b * 2 * C + c, of_u = of_w + C;
    L daa = load(dstate, s), dbb = load(dstate, s + C);
    L dw = step == 0 ? L{} : load(sums, of_w), du = step == 0 ? L{} : load(sums, of_u);
    for (dim_t t = end; t-- > first;) {
      const auto i = (b * seq.time + t) * C + c;
      const Token& at = kept[t - first];
      const L v_t = load(v, i), bonus = at.self * (v_t - at.y);
      store(dv, i, at.self + at.fresh * daa);
      store(dk, i, bonus + at.fresh * (v_t * daa + dbb));
      du = du + bonus;
      dw = dw + (at.faded_aa * daa + at.faded_bb * dbb);
      daa = at.fade * daa + at.q;
      dbb = at.fade * dbb - at.q * at.y;
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

/// y from k and v; w = -exp(time_decay). state (aa, bb, pp) is the past before the first token and becomes the past
/// after the last; starts keeps it before every span for wkv4_backward, its data may be null where there is no way
/// back. y may be k or v.
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
/// out as the gradient of the first. (aa e^-x, bb e^-x, pp + x) is the same past for every x, so whatever depends on A
/// and B alone has dpp = aa daa + bb dbb: the last state's dpp says nothing new and is not read, the first one's is
/// written so. sums is scratch. dk and dv may be any of k, v and dy, but not one and the same.
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
