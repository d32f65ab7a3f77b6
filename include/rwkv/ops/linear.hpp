#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/accum.hpp>
#include <rwkv/core/error.hpp>
#include <rwkv/core/weight_matrix.hpp>

namespace rwkv {
namespace detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void cannot_be_trained(Storage storage) {
  throw Error("backward: expected weights stored as the machine's own scalars, found a matrix of ", name_of(storage),
              ", which cannot be trained; load the model without formats of its own to train it");
}

/// y = x W^T + beta y, tokens as rows: the one place where it matters how weights are stored.
template <class B, dim_t Outputs, dim_t Inputs>
void weight_product(Scratch<B>& scratch, WeightMatrix<B, Outputs, Inputs> weight, Tensor<B, Batch, Time, Inputs> x,
                    Tensor<B, Batch, Time, Outputs> y, compute_of<typename B::scalar> beta) {
  const dim_t tokens = y.seq.tokens();
  if (weight.format)
    weight.format->product(scratch, tokens, Outputs, Inputs, x.data, weight.data, y.data, beta);
  else
    B::matmul(Op::none, Op::transpose, tokens, Outputs, Inputs, x.data, weight.data, y.data, beta);
}

}  // namespace detail

/// y = x W^T, tokens as rows; the weight (Outputs, Inputs) as checkpoints store it.
template <class B, dim_t Outputs, dim_t Inputs>
void linear_forward(Scratch<B>& scratch, WeightMatrix<B, Outputs, Inputs> weight, Tensor<B, Batch, Time, Inputs> x,
                    Tensor<B, Batch, Time, Outputs> y) {
  detail::weight_product<B>(scratch, weight, x, y, 0);
}
/// dx = dy W, or that added to dx; dW += dy^T x, unless the weight is not trained. Error where the weight cannot be.
template <class B, dim_t Outputs, dim_t Inputs>
void linear_backward(WeightMatrix<B, Outputs, Inputs> weight, Tensor<B, Batch, Time, Inputs> x,
                     Tensor<B, Batch, Time, Outputs> dy, Tensor<B, Batch, Time, Inputs> dx,
                     WeightMatrix<Accum<B>, Outputs, Inputs> dweight, bool add_to_dx = false) {
  if (weight.format) detail::cannot_be_trained(weight.format->storage);
  B::matmul(Op::none, Op::none, dy.seq.tokens(), Inputs, Outputs, dy.data, weight.data, dx.data, add_to_dx ? 1 : 0);
  if (dweight.data)
    B::matmul(Op::transpose, Op::none, Outputs, Inputs, dy.seq.tokens(), dy.data, x.data, dweight.data, 1);
}

}  // namespace rwkv
