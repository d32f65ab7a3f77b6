#pragma once
#include <rwkv/ops/wkv6.hpp>
#include <rwkv/ops/wkv6/grid_columns.hpp>
#include <rwkv/ops/wkv6/grid_rows.hpp>

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
