#pragma once
#include <rwkv/backend/grid.hpp>
#include <rwkv/core/math.hpp>

namespace rwkv::detail::grid {

/// C numbers over the threads of a block: thread i has those of columns i, i + threads, ..., `count` in all, so that
/// neighbours read neighbours. About 8 to a thread, which fit its registers and keep as many reads under way.
template <dim_t C, int most_threads = 512>
struct BlockRow {
  static constexpr int threads = [] {
    int n = warp;
    while (n < most_threads && n * 8 < C) n *= 2;
    return n;
  }();
  static constexpr int count = static_cast<int>((C + threads - 1) / threads);

  /// f(j, column) for the numbers of a thread, j from 0 on.
  template <class F>
  static RWKV_HD void each(int thread, const F& f) {
#ifdef __CUDA_ARCH__
#pragma unroll(count <= 16 ? count : 4)
#endif
    for (int j = 0; j < count; ++j)
      if (const dim_t c = thread + dim_t(j) * threads; C % threads == 0 || c < C) f(j, c);
  }
  /// The sum of f(j, column) over the block.
  template <class T, Block Here, class F>
  static RWKV_HD T sum(Here& here, const F& f) {
    T total = 0;
    each(here.thread(), [&](int j, dim_t c) { total += f(j, c); });
    return reduce_block(here, total, Plus{});
  }
};

}  // namespace rwkv::detail::grid
