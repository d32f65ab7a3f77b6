#pragma once
#include <rwkv/backend/cpu/blocks/short_rows.hpp>
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
    const ShortRows rows = short_rows<Stored::bits>(m, k, x);
    const auto some = [&](dim_t task) {
      const dim_t first = task * group, end = std::min(first + group, n);
      for (dim_t i = 0; i < m; i += 4) rows_from(rows, i, std::min<dim_t>(4, m - i), first, end);
    };
    const dim_t tasks = (n + group - 1) / group;
    if (n * k < 1 << 15) {
      for (dim_t task = 0; task < tasks; ++task) some(task);
    } else {
      pool().run(tasks, some);
    }
  }

 private:
  using Floats = Pack<float, pair_lanes>;
  static constexpr dim_t group = 16;

  void rows_from(const ShortRows& x_q, dim_t i, dim_t count, dim_t first, dim_t end) const {
    for (dim_t j = first; j < end; ++j) {
      if (count == 1)
        dot<1>(x_q, i, j);
      else if (count == 2)
        dot<2>(x_q, i, j);
      else if (count == 3)
        dot<3>(x_q, i, j);
      else
        dot<4>(x_q, i, j);
    }
  }
  /// Elements (i, j) to (i + rows - 1, j) of Y; blocks are summed by turns in two registers.
  template <int rows>
  void dot(const ShortRows& x_q, dim_t i, dim_t j) const {
    const dim_t blocks = k / Stored::numbers;
    const Stored* const w = weight + j * blocks;
    Floats even[rows]{}, odd[rows]{};
    dim_t b = 0;
    for (; b + 2 <= blocks; b += 2) {
      add(x_q, i, w[b], b, even);
      add(x_q, i, w[b + 1], b + 1, odd);
    }
    if (b < blocks) add(x_q, i, w[b], b, even);
    for (int r = 0; r < rows; ++r) {
      const float sum = reduce_lanes(even[r] + odd[r], [](auto u, auto v) { return u + v; });
      const dim_t at = (i + r) * n + j;
      store(y, at, beta == 0 ? sum : beta * load(y, at) + sum);
    }
  }
  template <int rows>
  [[gnu::always_inline]] void add(const ShortRows& x_q, dim_t i, const Stored& w, dim_t b, Floats (&sums)[rows]) const {
    const dim_t blocks = k / Stored::numbers;
    __builtin_prefetch(w.bytes + 2048);
    Shorts q[short_registers];
    short_quants(w, q);
    const Floats d = float_of_half(w.half(0));
    Floats m{};
    if constexpr (Stored::has_minimum) m = float_of_half(w.half(2));
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      PairSums whole{};
#pragma GCC unroll 4
      for (int part = 0; part < short_registers; ++part) {
        Shorts x_r;
        std::memcpy(&x_r, x_q.q_of(i + r, b) + part * 2 * pair_lanes, sizeof x_r);
        whole += pair_sums(q[part], x_r);
      }
      sums[r] += convert<float>(whole) * (d * x_q.scales[(i + r) * blocks + b]);
      if constexpr (Stored::has_minimum) sums[r] += m * x_q.sums[(i + r) * blocks + b];
    }
  }
};

}  // namespace rwkv::detail
