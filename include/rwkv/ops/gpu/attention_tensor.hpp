#pragma once
#include <rwkv/ops/attention/widened.hpp>
#include <rwkv/ops/gpu/attention_tensor_backward.hpp>
#include <rwkv/ops/gpu/attention_tensor_forward.hpp>

// Attention of bf16 on tensor cores: FlashAttention-2 (Dao 2023, arXiv 2307.08691). Products are of bf16 numbers, among
// them the weights and their gradients, rounded; sums, scores and the softmax are floats.
//
// Bytes a token and channel: forward 6 in and 2 out, backward 18 in and 6 out, other tiles' from the L2 cache.
// Operations for every key that a token sees, a channel: 4 and 14. On an H100 (989 TFLOP/s, 3.35 TB/s) a token of 768
// channels that sees 512 keys takes at least 1.6 ns forwards and 5.6 ns backwards, and its bytes 1.8 and 5.5 ns.
// Exponentials come next: 16 a clock and multiprocessor, one for every key and head, and two backwards, are 1.7 and 3.3
// ns with 12 heads.
namespace rwkv::detail {

/// Attention on machines that may have tensor cores; where they have none, and for few tokens, whose time is that of
/// reading keys, the one of `Wide`.
template <class B, dim_t D, class Wide>
struct TensorAttention {
  static constexpr dim_t few_tokens = 4;

  template <class Drops = KeepAll>
  static void forward(rwkv::Scratch<B>& scratch, const AttentionRow<bf16, D, Drops>& op) {
    if (!suits(op.history.seq)) return Wide::template forward<Drops>(scratch, op);
    run(grid::AttentionTensorForward<D, Drops>{op});
  }
  template <class Drops = KeepAll>
  static void backward(rwkv::Scratch<B>& scratch, AttentionQueryGradient<bf16, D, Drops> op, Keys<bf16> dk,
                       Keys<bf16> dv) {
    if (!suits(op.history.seq)) return Wide::template backward<Drops>(scratch, op, dk, dv);
    if (op.history.seq.tokens() == 0) return;
    const auto frame = scratch.frame();
    op.along = scratch.accum(op.history.seq.tokens() * op.history.heads);
    run(grid::AttentionTensorBackwardQueries<D, Drops>{op});
    run(grid::AttentionTensorBackwardKeys<D, Drops>{op, dk, dv});
  }

 private:
  static bool suits(Seq seq) { return seq.time > few_tokens && B::has_tensor_cores(); }
  static void run(const auto& kernel) { B::launch(kernel.blocks(), kernel); }
};

}  // namespace rwkv::detail
