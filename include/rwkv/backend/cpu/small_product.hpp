#pragma once
#include <algorithm>

#include <rwkv/backend/backend.hpp>
#include <rwkv/backend/cpu/packing.hpp>
#include <rwkv/backend/cpu/register_tile.hpp>
#include <rwkv/backend/thread_buffer.hpp>

namespace rwkv::detail {

/// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C where all of it fits a core's nearest cache: operands are read in
/// place as far as they can be, on the calling thread.
template <class Stored, class Out>
struct SmallProduct {
  using Multiplied = Factors<Stored, Stored>;
  using T = typename Multiplied::Sum;
  using Number = typename Multiplied::Number;
  static constexpr dim_t most = 1 << 14;  // numbers of an operand
  static constexpr bool fits(dim_t m, dim_t n, dim_t k) { return m * k <= most && k * n <= most && m * n <= most; }

  Op of_a, of_b;
  dim_t m, n, k;
  const Stored* a;
  dim_t lda;  // from a row to the next, as they are stored
  const Stored* b;
  dim_t ldb;
  Out* c;
  dim_t ldc;
  T beta;

  void run() const {
    if (n <= native_width<T>)
      by_tiles<RegisterTile<Multiplied, 1>>();
    else
      by_tiles<RegisterTile<Multiplied>>();
  }

 private:
  using Pack = typename Multiplied::template Packed<Stored>;
  static constexpr int together = Multiplied::together;

  template <class Tile>
  void by_tiles() const {
    static thread_local ThreadBuffer<Number> for_a, for_b;
    const Lines left = lines_of_a(for_a);
    const dim_t tiles = (m + Tile::tall - 1) / Tile::tall;  // of heights that differ by one at most
    for (dim_t j = 0; j < n; j += Tile::wide) {
      const dim_t width = std::min<dim_t>(Tile::wide, n - j);
      const Lines panel = panel_of_b<Tile>(j, width, for_b);
      for (dim_t x = 0; x < tiles; ++x) {
        const dim_t i = m * x / tiles, end = m * (x + 1) / tiles;
        Tile{k, left.data + i * left.line, left.line, left.step, panel.data, panel.step}.sum(
            end - i, width, c + i * ldc + j, ldc, beta);
      }
    }
  }

  struct Lines {
    const Number* data;
    dim_t line, step;  ///< from a row of A or a column of B to the next, from a step of k, or several, to the next
  };
  Lines lines_of_a(ThreadBuffer<Number>& buffer) const {
    if constexpr (Pack::widens) {
      const dim_t rows = of_a == Op::none ? m : k, columns = of_a == Op::none ? k : m;
      Number* const to = buffer.at_least(rows * columns);
      for (dim_t r = 0; r < rows; ++r) Pack::widen(a + r * lda, columns, to + r * columns);
      return of_a == Op::none ? Lines{to, columns, 1} : Lines{to, 1, columns};
    } else if (of_a == Op::none) {
      return {a, lda, together};
    } else if constexpr (together == 1) {
      return {a, 1, lda};
    } else {
      Number* const to = buffer.at_least(m * (k + together - 1));
      Pack::pair_up(a, lda, m, k, to);
      return {to, together, m * together};
    }
  }
  template <class Tile>
  Lines panel_of_b(dim_t j, dim_t width, ThreadBuffer<Number>& buffer) const {
    if constexpr (!Pack::widens && together == 1)
      if (of_b == Op::none && width == Tile::wide) return {b + j, 1, ldb};
    Number* const to = buffer.at_least((k + together - 1) * Tile::wide);
    if (of_b == Op::none)
      Pack::template columns<Tile::wide>(b + j, ldb, width, k, to, k * Tile::wide);
    else
      Pack::template rows<Tile::wide>(b + j * ldb, ldb, width, k, to);
    return {to, together, Tile::wide * together};
  }
};

}  // namespace rwkv::detail
