#pragma once
#include <algorithm>
#include <type_traits>

#include <rwkv/backend/pool.hpp>
#include <rwkv/core/lanes.hpp>

namespace rwkv::detail {

/// Y (m, n) = X (m, k) W^T + beta Y for few rows of X: decoding. W (n, k) is read once, in order and in place, each of
/// its rows by one thread, and that reading is the whole cost. What is stored shorter is widened by load, so that a
/// storage in blocks of 8 or 4 bits fits in by a load of its own: see Packing.
template <class In, class Weight, class Out>
struct FewRows {
  using T = compute_of<In>;
  static_assert(std::is_same_v<T, compute_of<Weight>>);
  static constexpr dim_t most = 8;

  dim_t n, k;
  const In* x;
  const Weight* weight;
  Out* y;
  T beta;

  void run(dim_t m) const {
    const auto some = [&](dim_t task) {
      const dim_t first = task * group, end = std::min(first + group, n);
      for (dim_t i = 0; i < m; i += 4) rows_from(i, std::min<dim_t>(4, m - i), first, end);
    };
    const dim_t tasks = (n + group - 1) / group;
    if (n * k < 1 << 14) {
      for (dim_t task = 0; task < tasks; ++task) some(task);
    } else {
      pool().run(tasks, some);
    }
  }

 private:
  static constexpr int W = native_width<T>;
  static constexpr dim_t group = 8;

  /// So many rows of Y, at most 4, from i on, columns first to end.
  void rows_from(dim_t i, dim_t count, dim_t first, dim_t end) const {
    if (count == 1)
      rows_of<1>(i, first, end);
    else if (count == 2)
      rows_of<2>(i, first, end);
    else if (count == 3)
      rows_of<3>(i, first, end);
    else
      rows_of<4>(i, first, end);
  }
  template <int rows>
  void rows_of(dim_t i, dim_t first, dim_t end) const {
    constexpr int many = rows > 2 ? 2 : 4;
    for (; first + many <= end; first += many) dot<rows, many>(i, first);
    for (; first < end; ++first) dot<rows, 1>(i, first);
  }
  /// rows x many elements of Y from (i, j) on.
  template <int rows, int many>
  [[gnu::noinline]] void dot(dim_t i, dim_t j) const {
    const In* x_i = x + i * k;
    const Weight* w_j = weight + j * k;
    const dim_t next =
        std::min<dim_t>(many, n - many - j) * k;  // the rows after these; at the end, the last ones again
    Pack<T, W> sum[rows][many]{};
    T last[rows][many]{};
    dim_t p = 0;
    for (; p + W <= k; p += W)
#pragma GCC unroll 4
      for (int s = 0; s < many; ++s) {
        const auto w_p = load(w_j + s * k, Lanes<W>{p});
        prefetch(w_j + s * k + next, Lanes<W>{p});
#pragma GCC unroll 4
        for (int r = 0; r < rows; ++r) sum[r][s] += w_p * load(x_i + r * k, Lanes<W>{p});
      }
    for (; p < k; ++p)
      for (int s = 0; s < many; ++s)
        for (int r = 0; r < rows; ++r) last[r][s] += load(w_j, s * k + p) * load(x_i, r * k + p);
    for (int r = 0; r < rows; ++r)
      for (int s = 0; s < many; ++s) {
        const dim_t at = (i + r) * n + j + s;
        const T dot = last[r][s] + reduce_lanes(sum[r][s], [](auto u, auto v) { return u + v; });
        store(y, at, beta == T(0) ? dot : beta * load(y, at) + dot);
      }
  }
};

}  // namespace rwkv::detail
