#pragma once
#include <algorithm>

#include <rwkv/backend/cpu/factors.hpp>
#include <rwkv/backend/cpu/lane_sums.hpp>
#include <rwkv/backend/cpu/store_sums.hpp>
#include <rwkv/backend/pool.hpp>

namespace rwkv::detail {

/// Y (m, n) = X (m, k) W^T + beta Y for few rows of X: decoding. W (n, k) is read once, in order and in place, each of
/// its rows by one thread, and that reading is the whole cost: row after row, since memory gives most to a reader who
/// takes one line after the other. What is stored shorter is widened by load, so that a storage in blocks of 8 or 4
/// bits fits in by a load of its own: see Packing. The order in which an element is summed depends on k alone.
template <class In, class Weight, class Out>
struct FewRows {
  using Multiplied = Factors<In, Weight>;
  using T = typename Multiplied::Sum;
  static constexpr dim_t most = 8;

  dim_t n, k;
  const In* x;
  const Weight* weight;
  Out* y;
  T beta;

  void run(dim_t m) const {
    const dim_t tasks = (n + W - 1) / W;
    parallel_if(n * k >= 1 << 14, tasks, [&](dim_t task) { pick<most>(m, task * W); });
  }

 private:
  using L = typename Multiplied::L;
  static constexpr int W = width_of<L>;
  static constexpr int partial = 2;  // sums of an element: the next product need not wait for the last
  static constexpr dim_t step = W * Multiplied::together;
  static constexpr dim_t line = 64 / sizeof(Weight), ahead = 64 * line;  // of W: what memory takes to answer

  template <int rows>
  void pick(dim_t m, dim_t j) const {
    if (m == rows) return columns<rows>(j);
    if constexpr (rows > 1) pick<rows - 1>(m, j);
  }
  /// W columns of Y from j on, or as many as there are.
  template <int rows>
  [[gnu::noinline]] void columns(dim_t j) const {
    L sum[rows][W];
    T last[rows][W];  // of the steps that fill no register
    const dim_t count = std::min<dim_t>(W, n - j);
    for (dim_t s = 0; s < count; ++s) dot<rows>(j + s, s, sum, last);
    for (dim_t s = count; s < W; ++s)
      for (int r = 0; r < rows; ++r) sum[r][s] = L{}, last[r][s] = T(0);
    for (int r = 0; r < rows; ++r) {
      L dots = load(&last[r][0], Lanes<W>{0}) + sums_of_each(sum[r]);
      store(&last[r][0], Lanes<W>{0}, dots);
      store_sums(1, count, &last[r][0], y + r * n + j, n, beta);
    }
  }
  /// Column j of Y, as sums in lanes.
  template <int rows>
  [[gnu::always_inline]] void dot(dim_t j, dim_t to, L (&sums)[rows][W], T (&last)[rows][W]) const {
    const Weight* const w = weight + j * k;
    const Weight* const soon = weight + std::min(j * k + ahead, (n - 1) * k);
    L sum[rows][partial]{};
    dim_t p = 0;
    for (; p + partial * step <= k; p += partial * step)
#pragma GCC unroll 2
      for (int s = 0; s < partial; ++s) {
        if (s * step % line == 0) prefetch(soon, Lanes<1>{p + s * step});
        add<rows>(w, p + s * step, s, sum);
      }
    for (; p + step <= k; p += step) add<rows>(w, p, 0, sum);
    for (int r = 0; r < rows; ++r) {
      sums[r][to] = sum[r][0] + sum[r][1], last[r][to] = T(0);
      for (dim_t q = p; q < k; ++q) last[r][to] += load(w, q) * load(x, r * k + q);
    }
  }
  template <int rows>
  [[gnu::always_inline]] void add(const Weight* w, dim_t p, int s, L (&sum)[rows][partial]) const {
    const auto w_p = Multiplied::each(w + p);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) sum[r][s] = Multiplied::add(sum[r][s], w_p, Multiplied::each(x + r * k + p));
  }
};

}  // namespace rwkv::detail
