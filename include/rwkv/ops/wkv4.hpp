#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/core/view.hpp>
#include <rwkv/ops/wkv4/passes.hpp>

// The attention of RWKV-4 (RWKV paper, arXiv 2305.13048): every channel averages the values before it, weighted by
// e^key and fading by e^w a token, w = -exp(time_decay) < 0; u = time_first is a bonus for the token at hand:
//
//   y_t = (A_{t-1} + e^{u + k_t} v_t) / (B_{t-1} + e^{u + k_t})
//   A_t = e^w A_{t-1} + e^{k_t} v_t,   B_t = e^w B_{t-1} + e^{k_t}
//
// The stable form stores (aa, bb, pp) with A = aa e^pp, B = bb e^pp and pp the largest exponent in them, so that bb
// lies between 1 and the number of tokens. The empty state is aa = bb = 0, pp = -1e38; an infinity there would make
// NaN.
namespace rwkv {

/// y from k and v; w = -exp(time_decay). state (aa, bb, pp) is the state before the first token and becomes the state
/// after the last; starts keeps it before every span for wkv4_backward, and its data may be null where there is none. y
/// may be k or v. Results do not depend on the number of threads. Errors: see benchmarks/README.md. `how` is an
/// OverTime, or OverTimeIs one, which compiles to less.
template <class B, dim_t C, class How = OverTimeIs<OverTime::automatic>>
void wkv4_forward(Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                  Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> y, Tensor<Accum<B>, Batch, 3, C> state,
                  Tensor<Accum<B>, Batch, Spans, 3, C> starts, How how = {}) {
  if (k.seq.time == 0) return;
  using Pass = wkv4::Forward<typename B::scalar, C>;
  wkv4::over_time<How>(
      scratch, wkv4::Cut(how, k.seq, C),
      Pass{{k.seq, time_decay.data, time_first.data, k.data, v.data}, y.data, state.data, starts.data});
}

/// Writes dk and dv, adds to dtime_decay and dtime_first. dstate comes in as the gradient of the last state and goes
/// out as the gradient of the first. (aa e^-x, bb e^-x, pp + x) is the same state for every x, so whatever depends on A
/// and B alone has dpp = aa daa + bb dbb: the last state's dpp says nothing new and is not read, the first one's is
/// written so. dk and dv may be any of k, v and dy, but not one and the same. Either backward follows either forward.
template <class B, dim_t C, class How = OverTimeIs<OverTime::automatic>>
void wkv4_backward(Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                   Tensor<B, Batch, Time, C> v, Tensor<Accum<B>, Batch, Spans, 3, C> starts,
                   Tensor<B, Batch, Time, C> dy, Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv,
                   Tensor<Accum<B>, C> dtime_decay, Tensor<Accum<B>, C> dtime_first,
                   Tensor<Accum<B>, Batch, 3, C> dstate, How how = {}) {
  if (k.seq.time == 0) return;
  using T = typename B::scalar;
  const auto frame = scratch.frame();
  const wkv4::Cut cut(how, k.seq, C);
  const dim_t parts = k.seq.batch * cut.count;
  auto* const sums = scratch.accum(parts * 2 * C);
  Accum<B>::fill(sums, parts * 2 * C, 0);
  const wkv4::Inputs<T> in{k.seq, time_decay.data, time_first.data, k.data, v.data};
  wkv4::over_time<How>(scratch, cut,
                       wkv4::Backward<T, C>{in, {starts.data, dy.data, dk.data, dv.data}, dstate.data, sums});
  wkv4::add_to_parameters(scratch, parts, in, sums, dtime_decay, dtime_first);
}

}  // namespace rwkv

#include <rwkv/ops/wkv4/grid.hpp>  // overloads for machines that launch blocks: they come with the op
