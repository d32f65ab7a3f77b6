#pragma once
#include <rwkv/ops/activation.hpp>
#include <rwkv/ops/affine.hpp>

namespace rwkv {

/// y = f(x first) second + bias, tokens as rows: a product of rank R. Both factors are stored (in, out), unlike the
/// weight of a Linear; f is one of rwkv::activation that knows its derivative from its output; h keeps f's outputs. A
/// bias without data is none.
template <class B, class F, dim_t Inputs, dim_t R, dim_t O>
void low_rank_forward(Tensor<B, Inputs, R> first, Tensor<B, R, O> second, Tensor<B, 1, 1, O> bias,
                      Tensor<B, Batch, Time, Inputs> x, Tensor<B, Batch, Time, R> h, Tensor<B, Batch, Time, O> y) {
  const dim_t tokens = x.seq.tokens();
  B::matmul(Op::none, Op::none, tokens, R, Inputs, x.data, first.data, h.data, 0);
  if constexpr (!std::is_same_v<F, activation::Identity>) activation_forward<B, F>(h, h);
  if (bias.data) {
    if (detail::matmul_add_row<B>(Op::none, Op::none, tokens, O, R, h.data, second.data, bias.data, y.data)) return;
    B::for_each(tokens, O, detail::CopyRow<typename B::scalar>{bias.data, y.data, O});
  }
  B::matmul(Op::none, Op::none, tokens, O, R, h.data, second.data, y.data, bias.data ? 1 : 0);
}
/// dx is written, or added to; the gradients of the parameters that are trained are added to.
template <class B, class F, dim_t Inputs, dim_t R, dim_t O>
void low_rank_backward(Scratch<B>& scratch, Tensor<B, Inputs, R> first, Tensor<B, R, O> second,
                       Tensor<B, Batch, Time, Inputs> x, Tensor<B, Batch, Time, R> h, Tensor<B, Batch, Time, O> dy,
                       Tensor<B, Batch, Time, Inputs> dx, Tensor<Accum<B>, Inputs, R> dfirst,
                       Tensor<Accum<B>, R, O> dsecond, Tensor<Accum<B>, 1, 1, O> dbias, bool add_to_dx = false) {
  static_assert(F::of_output);
  const dim_t tokens = x.seq.tokens();
  const auto frame = scratch.frame();
  const auto dh = scratch.template take<Shape<Batch, Time, R>>(x.seq);
  B::matmul(Op::none, Op::transpose, tokens, R, O, dy.data, second.data, dh.data, 0);
  if (dsecond.data) B::matmul(Op::transpose, Op::none, R, O, tokens, h.data, dy.data, dsecond.data, 1);
  if constexpr (!std::is_same_v<F, activation::Identity>) activation_backward<B, F>(h, dh, dh);
  B::matmul(Op::none, Op::transpose, tokens, Inputs, R, dh.data, first.data, dx.data, add_to_dx ? 1 : 0);
  if (dfirst.data) B::matmul(Op::transpose, Op::none, Inputs, R, tokens, x.data, dh.data, dfirst.data, 1);
  if (dbias.data) bias_backward<B>(scratch, dy, Tensor<Accum<B>, O>{dbias.data, dbias.seq});
}

}  // namespace rwkv
