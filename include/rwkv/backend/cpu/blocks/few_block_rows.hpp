#pragma once
#include <type_traits>

#include <rwkv/backend/cpu/blocks/byte_pair_dots.hpp>
#include <rwkv/backend/cpu/blocks/short_dots.hpp>
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
    const auto some = [&](dim_t task) {
      const dim_t first = task * group, end = std::min(first + group, n);
      for (dim_t i = 0; i < m; i += 4) rows_from(dots, i, std::min<dim_t>(4, m - i), first, end);
    };
    const dim_t tasks = (n + group - 1) / group;
    if (n * k < 1 << 15) {
      for (dim_t task = 0; task < tasks; ++task) some(task);
    } else {
      pool().run(tasks, some);
    }
  }

 private:
  using Dots = std::conditional_t<by_byte_pairs && Stored::bits == 4, BytePairDots<Stored>, ShortDots<Stored>>;
  static constexpr dim_t group = 16;

  void rows_from(const Dots& dots, dim_t i, dim_t count, dim_t first, dim_t end) const {
    for (dim_t j = first; j < end; ++j) {
      if (count == 1)
        dot<1>(dots, i, j);
      else if (count == 2)
        dot<2>(dots, i, j);
      else if (count == 3)
        dot<3>(dots, i, j);
      else
        dot<4>(dots, i, j);
    }
  }
  /// Elements (i, j) to (i + rows - 1, j) of Y.
  template <int rows>
  void dot(const Dots& dots, dim_t i, dim_t j) const {
    float sums[rows];
    dots.row(weight + j * (k / Stored::numbers), i, sums);
    for (int r = 0; r < rows; ++r) {
      const dim_t at = (i + r) * n + j;
      store(y, at, beta == 0 ? sums[r] : beta * load(y, at) + sums[r]);
    }
  }
};

}  // namespace rwkv::detail
