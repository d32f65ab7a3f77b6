#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/wkv6/backward.hpp>
#include <rwkv/ops/wkv6/by_channel.hpp>
#include <rwkv/ops/wkv6/forward.hpp>

// The attention of RWKV-5 and RWKV-6 (Eagle and Finch, arXiv 2404.05892): every head has a matrix Z, keys by values,
// that fades by a decay for each key and learns v_t under k_t; u is a bonus for the token at hand:
//
//   y_t = r_t^T (Z_{t-1} + diag(u) k_t v_t^T),   Z_t = diag(e^{w_t}) Z_{t-1} + k_t v_t^T
//
// and backwards, from G_t = dZ_t and c_t = dy_t . v_t:
//
//   dr_t = Z_{t-1} dy_t + u k_t c_t,   dk_t = G_t v_t + u r_t c_t,   dv_t = G_t^T k_t + (sum r_t u k_t) dy_t
//   dw_t = e^{w_t} rowsum(G_t Z_{t-1}),   du = sum_t r_t k_t c_t,   G_{t-1} = diag(e^{w_t}) G_t + r_t dy_t^T
//
// In RWKV-6 every token has decays of its own, in RWKV-5 all tokens have the same. Products and sums for a token and a
// head, in Size^2, with Size = 64 and chunks of 16 tokens: forward 3 token after token and 2.5 in chunks; backward 5.7
// in chunks, of which the state takes 4.6, half of one its recomputation. What Size^2 takes: see wkv7.hpp.
namespace rwkv {
/// y from the signals; w is the logarithm of the decay, from -80 to 0: in.w has one for every token, or one for all.
/// state is the state before the first token and becomes the state after the last. starts is for wkv6_backward; its
/// data may be null where there is none. y must not be an operand. Results do not depend on the number of threads.
template <class B, dim_t H, dim_t Size, class Decay, class Bonus>
void wkv6_forward(Scratch<B>& scratch, const wkv6::Signals<B, H, Size, Decay, Bonus>& in,
                  Tensor<B, Batch, Time, H * Size> y, wkv6::State<B, H, Size> state, wkv6::Starts<B, H, Size> starts,
                  wkv6::OverTime how = wkv6::OverTime::automatic) {
  using In = wkv6::Signals<B, H, Size, Decay, Bonus>;
  if (in.seq().time == 0) return;
  if constexpr (heads::OnLanes<B>) {
    const auto frame = scratch.frame();
    const wkv6::Blocks blocks(how, in.seq(), in.heads());
    const auto before = wkv6::between_blocks<false>(scratch, blocks, in, {}, state);
    B::for_each_row(
        in.heads() * blocks.count,
        wkv6::LanesForward<B, H, Size, In>{in, y, state, starts, heads::in_chunks(how, in.seq()), blocks, before});
  } else {
    B::for_each_row(in.heads() * Size, wkv6::ColumnForward<B, H, Size, In>{in, y, state, starts});
  }
}

/// Writes the gradients d of r, k, v and of decays for every token; adds to those of the bonus and of a decay for all,
/// which may be null. dstate comes in as the gradient of the last state and goes out as that of the first. No gradient
/// may be an operand. Either backward follows either forward.
template <class B, dim_t H, dim_t Size, class Decay, class Bonus, class DecayGradient, class BonusGradient>
void wkv6_backward(Scratch<B>& scratch, const wkv6::Signals<B, H, Size, Decay, Bonus>& in,
                   wkv6::Starts<B, H, Size> starts, Tensor<B, Batch, Time, H * Size> dy,
                   const wkv6::Signals<B, H, Size, DecayGradient, BonusGradient>& d, wkv6::State<B, H, Size> dstate,
                   wkv6::OverTime how = wkv6::OverTime::automatic) {
  using In = wkv6::Signals<B, H, Size, Decay, Bonus>;
  using Out = wkv6::Signals<B, H, Size, DecayGradient, BonusGradient>;
  using Add = wkv6::AddSums<B, H, Size>;
  using T = typename Accum<B>::scalar;
  if (in.seq().time == 0) return;
  const auto frame = scratch.frame();
  const wkv6::Blocks blocks(heads::OnLanes<B> ? how : wkv6::OverTime::sequential, in.seq(), in.heads());
  const wkv6::Sums<T, Size> sums{scratch.accum(in.heads() * blocks.count * 2 * Size)};
  const auto by_channel = [&] {
    B::for_each_row(in.heads() * Size, wkv6::ColumnBackward<B, H, Size, In>{in, dy, d.v, dstate});
    B::for_each_row(in.heads() * Size, wkv6::RowBackward<B, H, Size, In, Out>{in, d, starts, dy, dstate, sums});
  };
  if constexpr (heads::OnLanes<B>) {
    if (how == wkv6::OverTime::sequential) {
      by_channel();
    } else {
      const auto after = wkv6::between_blocks<true>(scratch, blocks, in, dy, dstate);
      B::for_each_row(in.heads() * blocks.count,
                      wkv6::LanesBackward<B, H, Size, In, Out>{in, d, starts, dy, dstate, sums, blocks, after});
    }
  } else {
    by_channel();
  }
  B::for_each(H, Size, Add{in.seq().batch, sums.bonus(0), scratch.gradient(d.u).data, blocks.count});
  if constexpr (In::still)
    B::for_each(H, Size, Add{in.seq().batch, sums.decay(0), scratch.gradient(d.w).data, blocks.count});
}

}  // namespace rwkv

#include <rwkv/ops/wkv6/grid.hpp>  // overloads for machines that launch blocks: they come with the op
