#pragma once
#include <rwkv/ops/wkv6.hpp>
#include <rwkv/ops/wkv6/grid_columns.hpp>
#include <rwkv/ops/wkv6/grid_rows.hpp>

// WKV-5 and 6 in blocks of threads, token after token. Forward, and backward for dv, a block has a head: 4 warps, 32
// numbers of the state to a thread. Backward for the rest it has 16 rows of a head: 2 warps, 16 numbers, and the states
// of 4 tokens. So a batch of 1 with 12 heads is 12 blocks, on 9 % of an H200's 132 multiprocessors, and 48, on 36 %; a
// batch of 8 is 96, on 73 %, and 384, on all. Twice the batch takes little longer forward.
//
// At the least, for 8 x 1024 tokens of 12 heads of 64 in float, on an H200 of 4.8 TB/s and 30e12 multiply-adds a
// second:
//
//   forward    3 multiply-adds a number of the state and token      40 us;   7 x 25 MB, states included   37 us
//   backward   2 for the states, 2 for their gradient, 4 more      107 us;  11 x 25 MB                    58 us
//
// Multiplications bound both. Counted in the machine code for sm_90, a token takes a warp 180 instructions forward, 200
// for dv and 310 for the rest; at 1.75 GHz, with one or two warps to each of a multiprocessor's four schedulers and a
// tenth of the time spent waiting, that is 115 us forward (35 % of the floor), 125 and 300 us backward (25 %). What is
// lost: multiprocessors without a block, gradients of states made twice and states thrice, sums over lanes, addresses.
// Only a run can choose the numbers of a thread: ColumnTile's lanes, RowTile's threads, BackInTime's part.
//
// Registers and bytes of shared memory, float: forward 137, 16384; for dv 127, 16384; the rest 198, 34304. Nothing is
// spilled, on sm_80 neither.
namespace rwkv {

template <class B, dim_t H, dim_t Size, class Decay, class Bonus>
requires heads::InBlocks<B, Size>
void wkv6_forward(Scratch<B>&, const wkv6::Signals<B, H, Size, Decay, Bonus>& in, Tensor<B, Batch, Time, H * Size> y,
                  wkv6::State<B, H, Size> state, wkv6::Starts<B, H, Size> starts,
                  wkv6::OverTime = wkv6::OverTime::automatic) {
  if (in.seq().time == 0) return;
  heads::expect_fours("wkv6_forward", "the state", state.data);
  heads::expect_fours("wkv6_forward", "the states that are kept", starts.data);
  using In = wkv6::Signals<B, H, Size, Decay, Bonus>;
  B::launch(in.heads(), wkv6::GridForward<B, H, Size, In>{in, y, state, starts});
}
template <class B, dim_t H, dim_t Size, class Decay, class Bonus, class DecayGradient, class BonusGradient>
requires heads::InBlocks<B, Size>
void wkv6_backward(Scratch<B>& scratch, const wkv6::Signals<B, H, Size, Decay, Bonus>& in,
                   wkv6::Starts<B, H, Size> starts, Tensor<B, Batch, Time, H * Size> dy,
                   const wkv6::Signals<B, H, Size, DecayGradient, BonusGradient>& d, wkv6::State<B, H, Size> dstate,
                   wkv6::OverTime = wkv6::OverTime::automatic) {
  if (in.seq().time == 0) return;
  heads::expect_fours("wkv6_backward", "the gradient of the state", dstate.data);
  heads::expect_fours("wkv6_backward", "the states that were kept", starts.data);
  using In = wkv6::Signals<B, H, Size, Decay, Bonus>;
  using Rows = wkv6::GridRows<B, H, Size, In, wkv6::Signals<B, H, Size, DecayGradient, BonusGradient>>;
  using Add = wkv6::AddSums<B, H, Size>;
  const auto frame = scratch.frame();
  const wkv6::Sums<typename Accum<B>::scalar, Size> sums{scratch.accum(in.heads() * 2 * Size)};
  B::launch(in.heads(), wkv6::GridColumns<B, H, Size, In>{in, dy, d.v, dstate});
  B::launch(in.heads() * Rows::Tile::blocks, Rows{in, d, starts, dy, dstate, sums});
  B::for_each(H, Size, Add{in.seq().batch, sums.bonus(0), scratch.gradient(d.u).data});
  if constexpr (In::still) B::for_each(H, Size, Add{in.seq().batch, sums.decay(0), scratch.gradient(d.w).data});
}

}  // namespace rwkv
