#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/wkv7/backward.hpp>
#include <rwkv/ops/wkv7/by_channel.hpp>
#include <rwkv/ops/wkv7/forward.hpp>

// The attention of RWKV-7 (RWKV-7 "Goose", arXiv 2503.14456): every head has a matrix Z, keys by values, that fades by
// a decay for each key, forgets what it recalls under a_t (in RWKV-7 minus the normalised key) and learns v_t under
// k_t:
//
//   sa_t = a_t^T Z_{t-1},   Z_t = diag(e^{w_t}) Z_{t-1} + b_t sa_t^T + k_t v_t^T,   y_t = r_t^T Z_t
//
// and backwards, from D_t = dZ_t, which holds r_t dy_t^T already:
//
//   dr_t = Z_t dy_t,   dk_t = D_t v_t,   dv_t = D_t^T k_t,   db_t = D_t sa_t,   dsa_t = D_t^T b_t
//   da_t = Z_{t-1} dsa_t,   dw_t = e^{w_t} rowsum(D_t Z_{t-1}),   dZ_{t-1} = diag(e^{w_t}) D_t + a_t dsa_t^T
//
// Products and sums for a token and a head, in Size^2, with Size = 64 and chunks of 16 tokens: forward 4.1 token after
// token and 5.4 in chunks; backward 12.5 in chunks, of which the state takes 9, one of them its recomputation. For
// batch 8, 256 tokens and 12 heads, Size^2 takes two threads of 4 GHz at least 0.39 ms with AVX-512, 0.79 ms with AVX2.
namespace rwkv {
/// y from the six signals; w is the logarithm of the decay, from -0.607 to 0: chunks divide by 16 decays. state is the
/// state before the first token and becomes the state after the last. kept is for wkv7_backward; its data may be null
/// where there is none. y must not be an operand. Results do not depend on the number of threads.
template <class B, dim_t H, dim_t Size>
void wkv7_forward(Scratch<B>&, const wkv7::Signals<B, H, Size>& in, Tensor<B, Batch, Time, H * Size> y,
                  wkv7::State<B, H, Size> state, const wkv7::Kept<B, H, Size>& kept,
                  wkv7::OverTime how = wkv7::OverTime::automatic) {
  if (in.seq().time == 0) return;
  if constexpr (heads::OnLanes<B>) {
    B::for_each_row(in.heads(), wkv7::LanesForward<B, H, Size>{in, y, state, kept, heads::in_chunks(how, in.seq())});
  } else {
    B::for_each_row(in.heads() * Size, wkv7::ColumnForward<B, H, Size>{in, y, state, kept});
  }
}

/// Writes the gradients d of the six signals. dstate comes in as the gradient of the last state and goes out as that of
/// the first. kept is what wkv7_forward made of the same operands. No gradient may be an operand. Either backward
/// follows either forward.
template <class B, dim_t H, dim_t Size>
void wkv7_backward(Scratch<B>& scratch, const wkv7::Signals<B, H, Size>& in, const wkv7::Kept<B, H, Size>& kept,
                   Tensor<B, Batch, Time, H * Size> dy, const wkv7::Signals<B, H, Size>& d,
                   wkv7::State<B, H, Size> dstate, wkv7::OverTime how = wkv7::OverTime::automatic) {
  if (in.seq().time == 0) return;
  if constexpr (heads::OnLanes<B>)
    if (how != wkv7::OverTime::sequential)
      return B::for_each_row(in.heads(), wkv7::LanesBackward<B, H, Size>{in, d, kept, dy, dstate});
  const auto frame = scratch.frame();
  auto* const drecalled = scratch.accum(dy.size());
  B::for_each_row(in.heads() * Size, wkv7::ColumnBackward<B, H, Size>{in, d, dy, dstate, drecalled});
  B::for_each_row(in.heads() * Size, wkv7::RowBackward<B, H, Size>{in, d, kept, dy, dstate, drecalled});
}

}  // namespace rwkv

#include <rwkv/ops/wkv7/grid.hpp>  // overloads for machines that launch blocks: they come with the op
