#pragma once
#include <rwkv/ops/gpu/wkv4_kernels.hpp>
#include <rwkv/ops/wkv4.hpp>

// Time goes in blocks whatever is asked for: the outcome is the same.
namespace rwkv {

template <class B, dim_t C>
requires Grid<B>
void wkv4_forward(Scratch<B>&, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                  Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> y, Tensor<Accum<B>, Batch, 3, C> state,
                  Tensor<Accum<B>, Batch, Spans, 3, C> starts, OverTime = OverTime::automatic) {
  if (k.seq.time == 0) return;
  using Kernel = detail::grid::Wkv4Forward<typename B::scalar, C>;
  B::launch(k.seq.batch * Kernel::Mine::groups,
            Kernel{k.seq, time_decay.data, time_first.data, k.data, v.data, y.data, state.data, starts.data});
}
template <class B, dim_t C>
requires Grid<B>
void wkv4_backward(Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                   Tensor<B, Batch, Time, C> v, Tensor<Accum<B>, Batch, Spans, 3, C> starts,
                   Tensor<B, Batch, Time, C> dy, Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv,
                   Tensor<Accum<B>, C> dtime_decay, Tensor<Accum<B>, C> dtime_first,
                   Tensor<Accum<B>, Batch, 3, C> dstate, OverTime = OverTime::automatic) {
  if (k.seq.time == 0) return;
  using T = typename B::scalar;
  using Kernel = detail::grid::Wkv4Backward<T, C>;
  const auto frame = scratch.frame();
  auto* const sums = scratch.accum(k.seq.batch * 2 * C);
  B::launch(k.seq.batch * Kernel::Mine::groups, Kernel{k.seq, time_decay.data, time_first.data, k.data, v.data,
                                                       starts.data, dy.data, dk.data, dv.data, dstate.data, sums});
  B::for_each(
      1, C, detail::grid::Wkv4Parameters<T, C>{k.seq.batch, time_decay.data, sums, dtime_decay.data, dtime_first.data});
}

}  // namespace rwkv
