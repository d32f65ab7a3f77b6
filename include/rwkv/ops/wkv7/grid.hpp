#pragma once
#include <rwkv/ops/wkv7.hpp>
#include <rwkv/ops/wkv7/grid_columns.hpp>
#include <rwkv/ops/wkv7/grid_rows.hpp>

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
