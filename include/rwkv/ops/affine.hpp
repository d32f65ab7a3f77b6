#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/linear.hpp>
#include <rwkv/ops/reduce.hpp>
#include <rwkv/ops/rows.hpp>

namespace rwkv {
namespace detail {

template <class T>
struct CopyRow {
  const T* row;
  T* rows;
  dim_t columns;
  RWKV_HD void operator()(dim_t r, auto c) const { store(rows, r * columns + c, load(row, c)); }
};

/// C = op(A) op(B) + a row in one call; false, and nothing is done, where the machine has none.
template <class B>
bool matmul_add_row(auto... operands) {
  if constexpr (requires { B::matmul_add_row; })
    return B::matmul_add_row(operands...);
  else
    return false;
}

/// The sum of a block of rows.
template <class T, dim_t C>
struct BlockOfRows {
  static constexpr dim_t block = 64;
  dim_t rows;
  const T* x;
  compute_of<T>* sums;
  RWKV_HD void operator()(dim_t n) const {
    const dim_t first = n * block, end = first + block < rows ? first + block : rows;
    compute_of<T>* sum = sums + n * C;
    Row<T, C>::each([&](auto c) { store(sum, c, load(x, first * C + c)); });
    for (dim_t r = first + 1; r < end; ++r)
      Row<T, C>::each([&](auto c) { store(sum, c, load(sum, c) + load(x, r * C + c)); });
  }
};

}  // namespace detail

/// y = x W^T + b, tokens as rows; the weight (Outputs, Inputs) as checkpoints store it. A bias without data is none.
template <class B, dim_t Outputs, dim_t Inputs>
void affine_forward(Scratch<B>& scratch, WeightMatrix<B, Outputs, Inputs> weight, Tensor<B, Outputs> bias,
                    Tensor<B, Batch, Time, Inputs> x, Tensor<B, Batch, Time, Outputs> y) {
  if (bias.data == nullptr) return linear_forward<B>(scratch, weight, x, y);
  const dim_t tokens = y.seq.tokens();
  if (!weight.format && detail::matmul_add_row<B>(Op::none, Op::transpose, tokens, Outputs, Inputs, x.data, weight.data,
                                                  bias.data, y.data))
    return;
  B::for_each(tokens, Outputs, detail::CopyRow<typename B::scalar>{bias.data, y.data, Outputs});
  detail::weight_product<B>(scratch, weight, x, y, 1);
}
/// db += the sum of dy over all tokens, block by block, whatever the number of threads.
template <class B, dim_t Outputs>
void bias_backward(Scratch<B>& scratch, Tensor<B, Batch, Time, Outputs> dy, Tensor<Accum<B>, Outputs> dbias) {
  using Kernel = detail::BlockOfRows<typename B::scalar, Outputs>;
  const auto frame = scratch.frame();
  const dim_t rows = dy.seq.tokens(), blocks = (rows + Kernel::block - 1) / Kernel::block;
  auto* sums = scratch.accum(blocks * Outputs);
  B::for_each_row(blocks, Kernel{rows, dy.data, sums});
  add_rows<B>(blocks, Outputs, Outputs, sums, dbias.data);
}
/// dx = dy W, or that added to dx; dW += dy^T x; db += the sum of dy where there is a bias.
template <class B, dim_t Outputs, dim_t Inputs>
void affine_backward(Scratch<B>& scratch, WeightMatrix<B, Outputs, Inputs> weight, Tensor<B, Batch, Time, Inputs> x,
                     Tensor<B, Batch, Time, Outputs> dy, Tensor<B, Batch, Time, Inputs> dx,
                     WeightMatrix<Accum<B>, Outputs, Inputs> dweight, Tensor<Accum<B>, Outputs> dbias,
                     bool add_to_dx = false) {
  linear_backward<B>(weight, x, dy, dx, dweight, add_to_dx);
  if (dbias.data != nullptr) bias_backward<B>(scratch, dy, dbias);
}

}  // namespace rwkv

#include <rwkv/ops/gpu/bias.hpp>
