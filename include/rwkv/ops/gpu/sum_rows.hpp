#pragma once
#include <rwkv/backend/grid.hpp>
#include <rwkv/core/accum.hpp>

namespace rwkv::detail::grid {

/// to (columns) += the sum of rows that lie `stride` apart, in an order that the shape alone decides; nothing where it
/// is null. A warp takes 32 columns of every eighth row. Bytes: 4 a number, once.
template <class T>
struct SumRows {
  static constexpr int threads = 256, groups = threads / warp;
  dim_t rows, columns, stride;
  const T* from;
  T* to;

  struct Parts {
    T of[groups][warp];
  };
  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const int lane = here.thread() % warp, group = here.thread() / warp;
    const dim_t c = here.index() * warp + lane;
    T total = 0;
    if (c < columns)
      for (dim_t r = group; r < rows; r += groups) total += from[r * stride + c];
    auto& parts = here.template shared<Parts>();
    parts.of[group][lane] = total;
    here.sync();
    if (group > 0 || c >= columns) return;
    for (int other = 1; other < groups; ++other) total += parts.of[other][lane];
    to[c] += total;
  }
};

template <Grid B>
void sum_rows(dim_t rows, dim_t columns, dim_t stride, const compute_of<typename B::scalar>* from,
              compute_of<typename B::scalar>* to) {
  using Kernel = SumRows<compute_of<typename B::scalar>>;
  if (rows > 0 && to != nullptr) B::launch((columns + warp - 1) / warp, Kernel{rows, columns, stride, from, to});
}

}  // namespace rwkv::detail::grid
