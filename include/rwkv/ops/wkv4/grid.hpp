#pragma once
#include <rwkv/ops/wkv4.hpp>
#include <rwkv/ops/wkv4/grid_backward.hpp>
#include <rwkv/ops/wkv4/grid_forward.hpp>

// WKV-4 in blocks of threads, a block to 32 channels of a sequence. A warp takes a segment of tokens, a thread a
// channel of it: the segment is read once, kept in registers, reduced to one element, and gone through again from what
// came before, which the elements of other warps say. So a tile of time costs one latency instead of one for every
// token, and where a segment's keys lie near each other, a token one exponential.
//
// In float, bytes a token and channel: forward 12, backward 20, and 12 for every span. On an H200 (4.8 TB/s) that is at
// least 16 and 28 us for 8 x 1024 tokens of 768 channels. Counted in the machine code for sm_90, a token takes a warp
// some 50 and 125 instructions (with the operator alone it would be 170 and 420, more than the bytes take). A batch of
// 8 is 192 blocks, for 132 multiprocessors: with two at once on some, that is 18 and 38 us at 1.75 GHz, 90 and 75 %. A
// batch of 1 is 24 blocks, on 18 % of the device, and takes little less: a longer tile, of more warps, would suit it
// better, and fewer of these fit a multiprocessor.
//
// Registers of a thread: forward 91, so two blocks at once, backward 128 at the most, for two; nothing is spilled. 96
// bytes of stack are the states before tokens whose keys lie far apart.
namespace rwkv {

template <class B, dim_t C, class How = OverTimeIs<OverTime::automatic>>
requires Grid<B>
void wkv4_forward(Scratch<B>&, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                  Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> y, Tensor<Accum<B>, Batch, 3, C> state,
                  Tensor<Accum<B>, Batch, Spans, 3, C> starts, How = {}) {
  if (k.seq.time == 0) return;
  using Kernel = wkv4::GridForward<typename B::scalar, C>;
  B::launch(k.seq.batch * Kernel::Mine::groups,
            Kernel{{k.seq, time_decay.data, time_first.data, k.data, v.data}, y.data, state.data, starts.data});
}
template <class B, dim_t C, class How = OverTimeIs<OverTime::automatic>>
requires Grid<B>
void wkv4_backward(Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                   Tensor<B, Batch, Time, C> v, Tensor<Accum<B>, Batch, Spans, 3, C> starts,
                   Tensor<B, Batch, Time, C> dy, Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv,
                   Tensor<Accum<B>, C> dtime_decay, Tensor<Accum<B>, C> dtime_first,
                   Tensor<Accum<B>, Batch, 3, C> dstate, How = {}) {
  if (k.seq.time == 0) return;
  using T = typename B::scalar;
  using Kernel = wkv4::GridBackward<T, C>;
  const auto frame = scratch.frame();
  auto* const sums = scratch.accum(k.seq.batch * 2 * C);
  const wkv4::Inputs<T> in{k.seq, time_decay.data, time_first.data, k.data, v.data};
  B::launch(k.seq.batch * Kernel::Mine::groups,
            Kernel{in, {starts.data, dy.data, dk.data, dv.data}, dstate.data, sums});
  wkv4::add_to_parameters(scratch, k.seq.batch, in, sums, dtime_decay, dtime_first);
}

}  // namespace rwkv
