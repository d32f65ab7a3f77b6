#pragma once
#include <type_traits>

#include <rwkv/backend/cpu/blocks/byte_pair_dots.hpp>
#include <rwkv/backend/cpu/blocks/short_dots.hpp>
#include <rwkv/backend/cpu/lane_sums.hpp>
#include <rwkv/backend/cpu/store_sums.hpp>
#include <rwkv/backend/pool.hpp>

namespace rwkv::detail {

/// Y (m, n) = X (m, k) W^T + beta Y for few rows of X, W (n, k) being in blocks along k: decoding. Activations are made
/// shorts first. W is then read once, in order and in place, each of its rows by one thread; the bits of a result
/// depend on k alone.
template <class In, class Stored, class Out>
struct FewBlockRows {
  static constexpr dim_t most = 8;

  dim_t n, k;
  const In* x;
  const Stored* weight;
  Out* y;
  float beta;

  void run(dim_t m) const {
    const Dots dots(m, k, x);
    parallel_if(n * k >= 1 << 15, (n + W - 1) / W, [&](dim_t task) {
      for (dim_t i = 0; i < m; i += pass) pick<pass>(std::min(pass, m - i), dots, i, task * W);
    });
  }

 private:
  using Dots = std::conditional_t<by_byte_pairs<Stored>, BytePairDots<Stored>, ShortDots<Stored>>;
  using L = typename Dots::Floats;
  static constexpr int W = width_of<L>;
  static constexpr dim_t pass = 4;  // rows of X that meet a row of W at a time

  template <int rows>
  void pick(dim_t count, const Dots& dots, dim_t i, dim_t j) const {
    if (count == rows) return columns<rows>(dots, i, j);
    if constexpr (rows > 1) pick<rows - 1>(count, dots, i, j);
  }
  /// W columns of Y from j on, or as many as there are, of rows i ...
  template <int rows>
  [[gnu::noinline]] void columns(const Dots& dots, dim_t i, dim_t j) const {
    L sums[rows][W]{};
    const dim_t count = std::min<dim_t>(W, n - j);
    for (dim_t s = 0; s < count; ++s) {
      L column[rows];
      dots.row(weight + (j + s) * (k / Stored::numbers), i, column);
      for (int r = 0; r < rows; ++r) sums[r][s] = column[r];
    }
    for (int r = 0; r < rows; ++r) {
      float whole[W];
      store(whole, Lanes<W>{0}, sums_of_each(sums[r]));
      store_sums(1, count, whole, y + (i + r) * n + j, n, beta);
    }
  }
};

}  // namespace rwkv::detail
