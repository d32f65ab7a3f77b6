#pragma once
#include <algorithm>
#include <span>

#include <rwkv/backend/pool.hpp>
#include <rwkv/core/bf16.hpp>

namespace rwkv::detail {

/// to[i] = from[0][i] + from[1][i] + ..., added in this order, so that the bits do not depend on who came first. `to`
/// may be one of them.
template <class T, class Travel>
void sum_in_order(std::span<const Travel* const> from, dim_t n, T* to) {
  constexpr dim_t block = 1 << 10;  // stays in the nearest cache
  pool().run((n + block - 1) / block, [&](dim_t i) {
    const dim_t first = i * block, size = std::min(block, n - first);
    compute_of<T> sums[block];
    for (dim_t k = 0; k < size; ++k) sums[k] = compute_of<T>(load(from[0], first + k));
    for (const Travel* part : from.subspan(1))
      for (dim_t k = 0; k < size; ++k) sums[k] += compute_of<T>(load(part, first + k));
    for (dim_t k = 0; k < size; ++k) to[first + k] = T(sums[k]);
  });
}

}  // namespace rwkv::detail
