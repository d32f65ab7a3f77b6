#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/core/view.hpp>
#include <rwkv/ops/wkv4/scan.hpp>
#include <rwkv/ops/wkv4/walk.hpp>

// The attention of RWKV-4 (RWKV paper, arXiv 2305.13048): every channel averages the values of its past, weighted by
// e^key and fading by e^w a token, w = -exp(time_decay) < 0; u = time_first is a bonus for the token at hand:
//
//   y_t = (A_{t-1} + e^{u + k_t} v_t) / (B_{t-1} + e^{u + k_t})
//   A_t = e^w A_{t-1} + e^{k_t} v_t,   B_t = e^w B_{t-1} + e^{k_t}
//
// The stable form stores (aa, bb, pp) with A = aa e^pp, B = bb e^pp and pp the largest exponent in them, so that bb
// lies between 1 and the number of tokens. No past is aa = bb = 0, pp = -1e38; an infinity there would make NaN.
namespace rwkv {

/// How a recurrence goes over time. The two differ by rounding alone.
enum class OverTime {
  automatic,  ///< whichever is the faster for these sizes, as measured
  walk,       ///< token after token, channels side by side
  scan        ///< blocks of time side by side, three passes: where channels are too few to fill the machine
};

namespace detail {
/// Measured: from this many channels on, the walk is as fast, and more exact in float.
inline constexpr dim_t few_channels = 64;
inline bool scans(OverTime how, Seq seq, dim_t C) {
  return how == OverTime::scan || (how == OverTime::automatic && seq.batch * C < few_channels && seq.time >= 1024);
}
}  // namespace detail

/// y from k and v; w = -exp(time_decay). state (aa, bb, pp) is the past before the first token and becomes the past
/// after the last; starts keeps it before every span for wkv4_backward, its data may be null where there is no way
/// back. y may be k or v. Results do not depend on the number of threads. This is the walk, which needs no memory.
template <class B, dim_t C>
void wkv4_forward(Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                  Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> y, Tensor<B, Batch, 3, C> state,
                  Tensor<B, Batch, Spans, 3, C> starts) {
  using T = typename B::scalar;
  const detail::Wkv4Inputs<T> in{k.seq, time_decay.data, time_first.data, k.data, v.data};
  B::walk(k.seq.batch, C, k.seq.spans(), detail::Wkv4Forward<T, C>{in, y.data, state.data, starts.data});
}
/// The same, by walk or by scan.
template <class B, dim_t C>
void wkv4_forward(Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                  Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> y, Tensor<B, Batch, 3, C> state,
                  Tensor<B, Batch, Spans, 3, C> starts, OverTime how) {
  if (!detail::scans(how, k.seq, C)) return wkv4_forward<B, C>(time_decay, time_first, k, v, y, state, starts);
  const detail::Wkv4Inputs<typename B::scalar> in{k.seq, time_decay.data, time_first.data, k.data, v.data};
  detail::wkv4_scan<B, C>(scratch, in, y.data, state.data, starts.data);
}
/// Whichever is faster; many channels never scan, and do not compile it.
template <class B, dim_t C>
void wkv4_forward(Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                  Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> y, Tensor<B, Batch, 3, C> state,
                  Tensor<B, Batch, Spans, 3, C> starts) {
  if constexpr (C < detail::few_channels)
    wkv4_forward<B, C>(scratch, time_decay, time_first, k, v, y, state, starts, OverTime::automatic);
  else
    wkv4_forward<B, C>(time_decay, time_first, k, v, y, state, starts);
}

/// Writes dk and dv, adds to dtime_decay and dtime_first. dstate comes in as the gradient of the last state and goes
/// out as the gradient of the first. (aa e^-x, bb e^-x, pp + x) is the same past for every x, so whatever depends on A
/// and B alone has dpp = aa daa + bb dbb: the last state's dpp says nothing new and is not read, the first one's is
/// written so. sums is scratch. dk and dv may be any of k, v and dy, but not one and the same. Either way back follows
/// either way forth. This is the walk.
template <class B, dim_t C>
void wkv4_backward(Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                   Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Spans, 3, C> starts, Tensor<B, Batch, Time, C> dy,
                   Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv, Tensor<B, C> dtime_decay,
                   Tensor<B, C> dtime_first, Tensor<B, Batch, 3, C> dstate, Tensor<B, Batch, 2, C> sums) {
  using T = typename B::scalar;
  const Seq seq = k.seq;
  if (seq.time == 0) return;
  const detail::Wkv4Inputs<T> in{seq, time_decay.data, time_first.data, k.data, v.data};
  const detail::Wkv4Gradients<T> g{starts.data, dy.data, dk.data, dv.data};
  B::walk(seq.batch, C, seq.spans(), detail::Wkv4Backward<T, C>{in, g, dstate.data, sums.data});
  B::for_each(1, C,
              detail::Wkv4Parameters<T, C>{seq.batch, time_decay.data, sums.data, dtime_decay.data, dtime_first.data});
}
/// The same, by walk or by scan.
template <class B, dim_t C>
void wkv4_backward(Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                   Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Spans, 3, C> starts, Tensor<B, Batch, Time, C> dy,
                   Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv, Tensor<B, C> dtime_decay,
                   Tensor<B, C> dtime_first, Tensor<B, Batch, 3, C> dstate, Tensor<B, Batch, 2, C> sums, OverTime how) {
  if (!detail::scans(how, k.seq, C) || k.seq.time == 0)
    return wkv4_backward<B, C>(time_decay, time_first, k, v, starts, dy, dk, dv, dtime_decay, dtime_first, dstate,
                               sums);
  const detail::Wkv4Inputs<typename B::scalar> in{k.seq, time_decay.data, time_first.data, k.data, v.data};
  const detail::Wkv4Gradients<typename B::scalar> g{starts.data, dy.data, dk.data, dv.data};
  detail::wkv4_scan_back<B, C>(scratch, in, g, dstate.data, dtime_decay.data, dtime_first.data);
}
/// Whichever is faster.
template <class B, dim_t C>
void wkv4_backward(Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                   Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Spans, 3, C> starts, Tensor<B, Batch, Time, C> dy,
                   Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv, Tensor<B, C> dtime_decay,
                   Tensor<B, C> dtime_first, Tensor<B, Batch, 3, C> dstate, Tensor<B, Batch, 2, C> sums) {
  if constexpr (C < detail::few_channels)
    wkv4_backward<B, C>(scratch, time_decay, time_first, k, v, starts, dy, dk, dv, dtime_decay, dtime_first, dstate,
                        sums, OverTime::automatic);
  else
    wkv4_backward<B, C>(time_decay, time_first, k, v, starts, dy, dk, dv, dtime_decay, dtime_first, dstate, sums);
}

}  // namespace rwkv
