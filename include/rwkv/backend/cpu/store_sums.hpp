#pragma once
#include <rwkv/core/lanes.hpp>

namespace rwkv::detail {

/// C (m, n) = sums + beta C, rounded once where C is stored shorter; rows of C lie `row` apart. With beta 0, C is not
/// read.
template <class Out>
void store_sums(dim_t m, dim_t n, const compute_of<Out>* sums, Out* c, dim_t row, compute_of<Out> beta) {
  constexpr int W = native_width<Out>;
  const auto one = [&](auto j) { store(c, j, beta == 0 ? load(sums, j) : beta * load(c, j) + load(sums, j)); };
  for (dim_t i = 0; i < m; ++i, sums += n, c += row) {
    dim_t j = 0;
    for (; j + W <= n; j += W) one(Lanes<W>{j});
    for (; j < n; ++j) one(j);
  }
}
/// C = beta C
template <class Out>
void scale(dim_t m, dim_t n, Out* c, dim_t row, compute_of<Out> beta) {
  for (dim_t i = 0; i < m; ++i, c += row)
    for (dim_t j = 0; j < n; ++j) store(c, j, beta == 0 ? 0 : beta * load(c, j));
}

}  // namespace rwkv::detail
