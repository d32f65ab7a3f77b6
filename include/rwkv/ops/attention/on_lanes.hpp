#pragma once
#include <rwkv/ops/attention/blocked_forward.hpp>

namespace rwkv::detail {

/// Attention by blocks, for machines whose threads hold a register of lanes.
template <class B, dim_t D>
struct LanesAttention {
  using T = typename B::scalar;

  static void forward(rwkv::Scratch<B>&, const AttentionRow<T, D>& op) {
    const BlockedAttention<T, D> blocked{op};
    B::for_each_row(blocked.tasks(), blocked);
  }
  static void backward(rwkv::Scratch<B>& scratch, const AttentionQueryGradient<T, D>& op, Keys<T> dk, Keys<T> dv) {
    ReferenceAttention<B, D>::backward(scratch, op, dk, dv);
  }
};

}  // namespace rwkv::detail
