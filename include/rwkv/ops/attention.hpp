#pragma once
#include <rwkv/ops/attention/on_lanes.hpp>
#include <rwkv/ops/attention/reference.hpp>
#include <rwkv/ops/attention/widened.hpp>

// Causal softmax attention (Vaswani et al., arXiv 1706.03762) in memory that grows with the tokens, not with their
// square: a token's scores are never stored (Rabe and Staats, arXiv 2112.05682; Dao et al., arXiv 2205.14135).
namespace rwkv {

namespace detail {
/// A machine that says how many lanes its registers hold runs the kernels made of them, one of reduced precision those
/// of full precision; it may have others.
template <class B, dim_t D>
struct AttentionOn : ReferenceAttention<B, D> {};
template <class B, dim_t D>
requires(!ReducedPrecision<B> && B::width > 1) struct AttentionOn<B, D> : LanesAttention<B, D> {
};
template <class B, dim_t D>
requires ReducedPrecision<B>
struct AttentionOn<B, D> : WidenedAttention<B, D, AttentionOn<Accum<B>, D>> {
};

template <class T>
History<T> history_of_call(Seq seq, dim_t heads, dim_t width) {
  return {seq, heads, width, seq.time > 0 ? seq.time : 1, nullptr};
}
}  // namespace detail

/// y_t = sum_j softmax_j(q_t . k_j / sqrt(D)) v_j, for each of H heads of D channels by itself.
///
/// Token t of the call stands at position p + t, where p = position[b] (a whole number) tokens came before the call; it
/// sees the keys of positions max(0, p + t - W + 1) ... p + t. Those before the call are in state_k and state_v, the
/// token of position s in row s % W; rows that were never written are not read, and the caller writes the call's own
/// keys there afterwards. softmax becomes what backward needs: the largest score times log2 e, and the denominator over
/// 2 to its power. drops says what dropout leaves out of the weights: DropSome, where it is not KeepAll. Scores may be
/// as large as T can hold: no exponential overflows. A NaN among what a token sees makes its y NaN, an infinity NaN or
/// a finite number; one in v may also reach tokens shortly before it, since kernels that work in blocks multiply it by
/// their zero weight. Where scalars are bf16, a machine may round weights, and in the backward pass gradients of
/// scores, to bf16 before it multiplies by them. y must not be q, k or v.
template <class B, dim_t H, dim_t D, dim_t W, class Drops = KeepAll>
void attention_forward(Scratch<B>& scratch, Tensor<B, Batch, Time, H * D> q, Tensor<B, Batch, Time, H * D> k,
                       Tensor<B, Batch, Time, H * D> v, Tensor<Accum<B>, Batch, W, H * D> state_k,
                       Tensor<Accum<B>, Batch, W, H * D> state_v, Tensor<Accum<B>, Batch, 1> position,
                       Tensor<B, Batch, Time, H * D> y, Tensor<Accum<B>, Batch, Time, H, 2> softmax, Drops drops = {}) {
  static_assert(W > 0, "attention: the window must hold at least the token itself");
  detail::AttentionOn<B, D>::template forward<Drops>(scratch, {{q.seq, H, D, W, position.data},
                                                               q.data,
                                                               {k.data, state_k.data},
                                                               {v.data, state_v.data},
                                                               y.data,
                                                               {softmax.data},
                                                               drops});
}
/// The same where the call is the whole history: nothing came before, and a token sees all before it.
template <class B, dim_t H, dim_t D, class Drops = KeepAll>
void attention_forward(Scratch<B>& scratch, Tensor<B, Batch, Time, H * D> q, Tensor<B, Batch, Time, H * D> k,
                       Tensor<B, Batch, Time, H * D> v, Tensor<B, Batch, Time, H * D> y,
                       Tensor<Accum<B>, Batch, Time, H, 2> softmax, Drops drops = {}) {
  using T = typename Accum<B>::scalar;
  detail::AttentionOn<B, D>::template forward<Drops>(scratch, {detail::history_of_call<T>(q.seq, H, D),
                                                               q.data,
                                                               {k.data, nullptr},
                                                               {v.data, nullptr},
                                                               y.data,
                                                               {softmax.data},
                                                               drops});
}

/// Writes dq, dk and dv, the gradients of sum(dy y), and adds to those of the keys and values before the call, dstate_k
/// and dstate_v. y and softmax are what attention_forward made of the same operands. None of dq, dk, dv may be an
/// operand.
template <class B, dim_t H, dim_t D, dim_t W, class Drops = KeepAll>
void attention_backward(Scratch<B>& scratch, Tensor<B, Batch, Time, H * D> q, Tensor<B, Batch, Time, H * D> k,
                        Tensor<B, Batch, Time, H * D> v, Tensor<Accum<B>, Batch, W, H * D> state_k,
                        Tensor<Accum<B>, Batch, W, H * D> state_v, Tensor<Accum<B>, Batch, 1> position,
                        Tensor<B, Batch, Time, H * D> y, Tensor<Accum<B>, Batch, Time, H, 2> softmax,
                        Tensor<B, Batch, Time, H * D> dy, Tensor<B, Batch, Time, H * D> dq,
                        Tensor<B, Batch, Time, H * D> dk, Tensor<B, Batch, Time, H * D> dv,
                        Tensor<Accum<B>, Batch, W, H * D> dstate_k, Tensor<Accum<B>, Batch, W, H * D> dstate_v,
                        Drops drops = {}) {
  detail::AttentionOn<B, D>::template backward<Drops>(scratch,
                                                      {{q.seq, H, D, W, position.data},
                                                       q.data,
                                                       {k.data, state_k.data},
                                                       {v.data, state_v.data},
                                                       y.data,
                                                       {softmax.data},
                                                       dy.data,
                                                       dq.data,
                                                       nullptr,
                                                       drops},
                                                      {dk.data, dstate_k.data}, {dv.data, dstate_v.data});
}
/// The same where the call is the whole history.
template <class B, dim_t H, dim_t D, class Drops = KeepAll>
void attention_backward(Scratch<B>& scratch, Tensor<B, Batch, Time, H * D> q, Tensor<B, Batch, Time, H * D> k,
                        Tensor<B, Batch, Time, H * D> v, Tensor<B, Batch, Time, H * D> y,
                        Tensor<Accum<B>, Batch, Time, H, 2> softmax, Tensor<B, Batch, Time, H * D> dy,
                        Tensor<B, Batch, Time, H * D> dq, Tensor<B, Batch, Time, H * D> dk,
                        Tensor<B, Batch, Time, H * D> dv, Drops drops = {}) {
  using T = typename Accum<B>::scalar;
  detail::AttentionOn<B, D>::template backward<Drops>(scratch,
                                                      {detail::history_of_call<T>(q.seq, H, D),
                                                       q.data,
                                                       {k.data, nullptr},
                                                       {v.data, nullptr},
                                                       y.data,
                                                       {softmax.data},
                                                       dy.data,
                                                       dq.data,
                                                       nullptr,
                                                       drops},
                                                      {dk.data, nullptr}, {dv.data, nullptr});
}

}  // namespace rwkv

#include <rwkv/ops/gpu/attention.hpp>
