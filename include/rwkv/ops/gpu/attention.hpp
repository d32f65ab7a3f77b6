#pragma once
#include <rwkv/ops/attention.hpp>
#include <rwkv/ops/gpu/attention_backward.hpp>
#include <rwkv/ops/gpu/attention_forward.hpp>
#include <rwkv/ops/gpu/attention_tensor.hpp>
#include <rwkv/ops/gpu/attention_token.hpp>

// Attention in blocks of threads: FlashAttention-2 (Dao 2023, arXiv 2307.08691), in float throughout. A block has a
// tile of a head's tokens and goes past the keys that they see, with online softmax; nothing of the size of the tokens'
// square is ever stored. In the backward pass a second kernel has a tile of keys and goes past the tokens that see
// them, so that no sum needs atomics, at the price of making scores and dy . v twice.
//
// Bytes a token and channel: forward 12 in and 4 out, backward 36 in and 12 out, and what of other tiles' keys and
// values, or queries, is read again, which the L2 cache has: 4 for every 32 to 64 multiplications. Operations for every
// key that a token sees, a channel: 4 and 14. On an H100 (67 TFLOP/s without tensor cores) that is at least 23 ns a
// token of 768 channels that sees 512 keys forwards, and 82 ns backwards, where the bytes take 3.7 and 11 ns.
// Exponentials: 1 and 2 for every key and head. A call of few tokens, as in decoding, reads 8 bytes a channel for every
// key, which is all its time: the keys of a token are shared out to several blocks.
//
// Tensor cores are not used for floats: TF32's 10 bits of a product are not the float that the portable kernel gives.
// For bf16 they are: attention_tensor.hpp.
namespace rwkv::detail {

/// Attention on machines that launch blocks.
template <class B, dim_t D>
struct BlocksAttention {
  using T = typename B::scalar;
  static constexpr dim_t few_tokens = 4;

  template <class Drops = KeepAll>
  static void forward(auto& scratch, const AttentionRow<T, D, Drops>& op) {
    if (op.history.seq.time > few_tokens) return run(grid::AttentionForward<T, D, Drops>{op});
    using Token = grid::AttentionToken<T, D, Drops>;
    Token token{op, Token::pieces_of(op)};
    const auto frame = scratch.frame();
    if (token.pieces > 1) token.shares = scratch.accum(token.shares_size());
    run(token);
    if (token.pieces > 1)
      B::launch(token.blocks() / token.pieces, grid::JoinPieces<T, D>{token.pieces, token.shares, op.y, op.softmax});
  }
  template <class Drops = KeepAll>
  static void backward(auto& scratch, AttentionQueryGradient<T, D, Drops> op, Keys<T> dk, Keys<T> dv) {
    if (op.history.seq.tokens() == 0) return;
    const auto frame = scratch.frame();
    op.along = scratch.accum(op.history.seq.tokens() * op.history.heads);
    run(grid::AttentionBackwardQueries<T, D, Drops>{op});
    run(grid::AttentionBackwardKeys<T, D, Drops>{op, dk, dv});
  }

 private:
  static void run(const auto& kernel) { B::launch(kernel.blocks(), kernel); }
};

/// Wider heads go by rows.
template <class B, dim_t D>
requires(!ReducedPrecision<B> && Grid<B> && D <= 128) struct AttentionOn<B, D> : BlocksAttention<B, D> {
};
template <class B, dim_t D>
requires(ReducedPrecision<B>&& TensorGrid<B>&& std::is_same_v<typename B::scalar, bf16>&& D <=
         128) struct AttentionOn<B, D> : TensorAttention<B, D, WidenedAttention<B, D, AttentionOn<Accum<B>, D>>> {
};

}  // namespace rwkv::detail
