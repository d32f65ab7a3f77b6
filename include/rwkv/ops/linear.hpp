#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/accum.hpp>
#include <rwkv/core/view.hpp>

namespace rwkv {

/// y = x W^T, tokens as rows; the weight (O, I) as checkpoints store it.
template <class B, dim_t O, dim_t I>
void linear_forward(Tensor<B, O, I> weight, Tensor<B, Batch, Time, I> x, Tensor<B, Batch, Time, O> y) {
  B::matmul(Op::none, Op::transpose, y.seq.tokens(), O, I, x.data, weight.data, y.data, 0);
}
/// dx = dy W, and dW += dy^T x.
template <class B, dim_t O, dim_t I>
void linear_backward(Tensor<B, O, I> weight, Tensor<B, Batch, Time, I> x, Tensor<B, Batch, Time, O> dy,
                     Tensor<B, Batch, Time, I> dx, Tensor<Accum<B>, O, I> dweight) {
  B::matmul(Op::none, Op::none, dy.seq.tokens(), I, O, dy.data, weight.data, dx.data, 0);
  B::matmul(Op::transpose, Op::none, O, I, dy.seq.tokens(), dy.data, x.data, dweight.data, 1);
}

}  // namespace rwkv
