#pragma once
#include <rwkv/ops/attention/blocked_backward.hpp>
#include <rwkv/ops/attention/blocked_forward.hpp>
#include <rwkv/ops/attention/few_tokens.hpp>

namespace rwkv::detail {

/// Attention by blocks, for machines whose threads hold a register of lanes.
template <class B, dim_t D>
struct LanesAttention {
  using T = typename B::scalar;

  static void forward(rwkv::Scratch<B>& scratch, const AttentionRow<T, D>& op) {
    if (op.history.seq.time <= FewTokensAttention<T, D>::most) {
      FewTokensAttention<T, D> few{op};
      const auto frame = scratch.frame();
      few.shares = scratch.take(few.shares_size());
      B::for_each_row(few.tasks(), few);
      return B::for_each_row(op.history.seq.batch * few.rows, [&](dim_t n) { few.join(n); });
    }
    const BlockedAttention<T, D> blocked{op};
    B::for_each_row(blocked.tasks(), blocked);
  }
  static void backward(rwkv::Scratch<B>& scratch, const AttentionQueryGradient<T, D>& op, Keys<T> dk, Keys<T> dv) {
    BlockedAttentionBackward<T, D> blocked{op, dk, dv};
    const auto frame = scratch.frame();
    const dim_t sequences =
        blocked.sequences();  // few long ones are shared out, in pieces that no thread count changes
    if (sequences > 0 && op.history.seq.time >= few * blocked.tokens)
      blocked.pieces = (few + sequences - 1) / sequences;
    if (blocked.pieces > 1) blocked.shares = scratch.take(blocked.shares_size());
    B::for_each_row(blocked.tasks(), blocked);
    if (blocked.shares) B::for_each_row(sequences * blocked.rows(), [&](dim_t n) { blocked.add_shares(n); });
  }

 private:
  static constexpr dim_t few = 4;
};

}  // namespace rwkv::detail
