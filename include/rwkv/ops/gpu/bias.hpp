#pragma once
#include <rwkv/ops/affine.hpp>
#include <rwkv/ops/gpu/sum_rows.hpp>

// The gradient of a bias. In float, bytes a token and channel: 4, once.
namespace rwkv {

template <class B, dim_t Outputs>
requires Grid<B>
void bias_backward(Scratch<B>& scratch, Tensor<B, Batch, Time, Outputs> dy, Tensor<Accum<B>, Outputs> dbias) {
  detail::grid::sum_rows<B>(scratch, dy.seq.tokens(), Outputs, dy.data, std::array{dbias.data});
}

}  // namespace rwkv
