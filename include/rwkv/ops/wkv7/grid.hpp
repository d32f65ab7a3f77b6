#pragma once
#include <rwkv/ops/wkv7.hpp>
#include <rwkv/ops/wkv7/grid_columns.hpp>
#include <rwkv/ops/wkv7/grid_rows.hpp>

// WKV-7 in blocks of threads, shared out as WKV-6 is: see wkv6/grid.hpp. Columns of the state bring dv and, from the
// last token to the first, the gradients of what was recalled; given these, rows need no other rows. At the least, for
// 8 x 1024 tokens of 12 heads of 64 in float, on an H200 of 4.8 TB/s and 30e12 multiply-adds a second:
//
//   forward    5 multiply-adds a number of the state and token      67 us;  10 x 25 MB, states included   52 us
//   backward   3 for the states, 3 for their gradient, 7 more      175 us;  16 x 25 MB                    84 us
//
// Counted in the machine code for sm_90, a token takes a warp 270 instructions forward, as many for the columns, and
// 420 for the rows; within a token, what is recalled is summed up in three steps between neighbours, 25 cycles each,
// while the state fades. At 1.75 GHz that is 175 us forward (38 % of the floor), 175 and 400 us backward (30 %).
//
// Registers and bytes of shared memory, float: forward 143, 24576; columns 139, 24576; rows 197, 39424. Nothing is
// spilled, on sm_80 neither.
namespace rwkv {

template <class B, dim_t H, dim_t Size>
requires heads::InBlocks<B, Size>
void wkv7_forward(Scratch<B>&, const wkv7::Signals<B, H, Size>& in, Tensor<B, Batch, Time, H * Size> y,
                  wkv7::State<B, H, Size> state, const wkv7::Kept<B, H, Size>& kept,
                  wkv7::OverTime = wkv7::OverTime::automatic) {
  if (in.seq().time == 0) return;
  heads::expect_fours("wkv7_forward", "the state", state.data);
  heads::expect_fours("wkv7_forward", "the states that are kept", kept.starts.data);
  heads::expect_fours("wkv7_forward", "what is recalled", kept.recalled.data);
  B::launch(in.heads(), wkv7::GridForward<B, H, Size>{in, y, state, kept});
}
template <class B, dim_t H, dim_t Size>
requires heads::InBlocks<B, Size>
void wkv7_backward(Scratch<B>& scratch, const wkv7::Signals<B, H, Size>& in, const wkv7::Kept<B, H, Size>& kept,
                   Tensor<B, Batch, Time, H * Size> dy, const wkv7::Signals<B, H, Size>& d,
                   wkv7::State<B, H, Size> dstate, wkv7::OverTime = wkv7::OverTime::automatic) {
  if (in.seq().time == 0) return;
  heads::expect_fours("wkv7_backward", "the gradient of the state", dstate.data);
  heads::expect_fours("wkv7_backward", "the states that were kept", kept.starts.data);
  const auto frame = scratch.frame();
  auto* const drecalled = scratch.accum(dy.size());
  using Rows = wkv7::GridRows<B, H, Size>;
  B::launch(in.heads(), wkv7::GridColumns<B, H, Size>{in, dy, d.v, dstate, drecalled});
  B::launch(in.heads() * Rows::Tile::blocks, Rows{in, d, kept, dy, dstate, drecalled});
}

}  // namespace rwkv
