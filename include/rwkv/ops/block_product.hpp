#pragma once
#include <algorithm>

#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/copy_as.hpp>

namespace rwkv::detail {

/// Y (rows, outputs) = X (rows, inputs) W^T + beta Y by weights in blocks: with B's own product where it has one
/// that is faster, else some rows of W at a time are made numbers.
template <class B, class Stored>
void block_product(Scratch<B>& scratch, dim_t rows, dim_t outputs, dim_t inputs, const typename B::scalar* x,
                   const Stored* weight, typename B::scalar* y, compute_of<typename B::scalar> beta) {
  if constexpr (requires { B::block_matmul(rows, outputs, inputs, x, weight, y, beta); })
    if (B::block_matmul(rows, outputs, inputs, x, weight, y, beta)) return;
  if (rows <= 0 || outputs <= 0) return;
  constexpr dim_t numbers = 1 << 20;  // of a panel, which the next product finds in a cache
  const dim_t most = std::clamp<dim_t>(numbers / std::max<dim_t>(inputs, 1), 1, outputs);
  const auto frame = scratch.frame();
  auto* const panel = scratch.take(most * inputs);
  for (dim_t first = 0; first < outputs; first += most) {
    const dim_t some = std::min(most, outputs - first);
    copy_as<B>(panel, weight + first * inputs / Stored::numbers, some * inputs);
    B::batched_matmul(1, Op::none, Op::transpose, rows, some, inputs, Matrices<const typename B::scalar>{x, inputs, 0},
                      Matrices<const typename B::scalar>{panel, inputs, 0},
                      Matrices<typename B::scalar>{y + first, outputs, 0}, beta);
  }
}

}  // namespace rwkv::detail
