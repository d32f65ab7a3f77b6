#pragma once
#include <rwkv/ops/gpu/block_row.hpp>
#include <rwkv/ops/norm.hpp>

// The sum of squares, a block to 16384 numbers, whose sums the host adds in order. Bytes: 4 a float, once; an H100
// (3.35 TB/s) takes at least 0.2 ms for 169 M of them.
namespace rwkv {
namespace detail::grid {

template <class T>
struct SumOfSquares {
  static constexpr int threads = 256;
  static constexpr dim_t block = 1 << 14;
  dim_t n;
  const T* x;
  T* sums;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const dim_t first = here.index() * block, end = first + block < n ? first + block : n;
    T a = 0, b = 0;
    dim_t i = first + here.thread();
    for (; i + threads < end; i += 2 * threads) a += x[i] * x[i], b += x[i + threads] * x[i + threads];
    if (i < end) a += x[i] * x[i];
    const T sum = reduce_block(here, a + b, Plus{});
    if (here.thread() == 0) sums[here.index()] = sum;
  }
};

}  // namespace detail::grid

template <class B>
requires Grid<B>
double sum_of_squares(Scratch<B>& scratch, dim_t n, const compute_of<typename B::scalar>* x) {
  using Kernel = detail::grid::SumOfSquares<compute_of<typename B::scalar>>;
  const auto frame = scratch.frame();
  const dim_t blocks = (n + Kernel::block - 1) / Kernel::block;
  auto* sums = scratch.accum(blocks);
  B::launch(blocks, Kernel{n, x, sums});
  return detail::sum_on_host<B>(blocks, sums);
}

}  // namespace rwkv
