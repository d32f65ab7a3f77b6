#pragma once
#include <rwkv/ops/attention/blocked_backward.hpp>
#include <rwkv/ops/attention/blocked_forward.hpp>
#include <rwkv/ops/attention/few_tokens.hpp>

namespace rwkv::detail {

/// Attention by blocks, for machines whose threads hold a register of lanes.
template <class B, dim_t D>
struct LanesAttention {
  using T = typename B::scalar;

  template <class Drops = KeepAll>
  static void forward(auto& scratch, const AttentionRow<T, D, Drops>& op) {
    if (op.history.seq.time <= few_tokens) {
      FewTokensAttention<T, D, Drops> few{op};
      const auto frame = scratch.frame();
      few.shares = scratch.accum(few.shares_size());
      B::for_each_row(few.tasks(), few);
      return B::for_each_row(op.history.seq.batch * few.rows, [&](dim_t n) { few.combine(n); });
    }
    const BlockedAttention<T, D, Drops> blocked{op};
    B::for_each_row(blocked.tasks(), blocked);
  }
  template <class Drops = KeepAll>
  static void backward(auto& scratch, const AttentionQueryGradient<T, D, Drops>& op, Keys<T> dk, Keys<T> dv) {
    // the backward pass must compute the scores of the forward pass, to the bit
    if (op.history.seq.time <= few_tokens) return ReferenceAttention<B, D>::backward(scratch, op, dk, dv);
    BlockedAttentionBackward<T, D, Drops> blocked{op, dk, dv};
    const auto frame = scratch.frame();
    const dim_t sequences = blocked.sequences();
    if (sequences > 0 && op.history.seq.time >= few_sequences * blocked.tokens)  // few long ones are shared out
      blocked.pieces = (few_sequences + sequences - 1) / sequences;              // in pieces that know no threads
    if (blocked.pieces > 1) blocked.shares = scratch.accum(blocked.shares_size());
    B::for_each_row(blocked.tasks(), blocked);
    if (blocked.shares) B::for_each_row(sequences * blocked.rows(), [&](dim_t n) { blocked.add_shares(n); });
  }

 private:
  static constexpr dim_t few_tokens = 4, few_sequences = 4;
};

}  // namespace rwkv::detail
