#pragma once
#include <algorithm>

#include <rwkv/backend/backend.hpp>
#include <rwkv/backend/cpu/packing.hpp>
#include <rwkv/backend/cpu/register_tile.hpp>
#include <rwkv/backend/thread_buffer.hpp>

namespace rwkv::detail {

/// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C where all of it fits a core's nearest cache: operands are read in
/// place as far as they can be, on the calling thread.
template <class Stored>
struct SmallProduct {
  using T = compute_of<Stored>;
  static constexpr dim_t most = 1 << 14;  // numbers of an operand
  static constexpr bool fits(dim_t m, dim_t n, dim_t k) { return m * k <= most && k * n <= most && m * n <= most; }

  Op of_a, of_b;
  dim_t m, n, k;
  const Stored* a;
  dim_t lda;  // from a row to the next, as they are stored
  const Stored* b;
  dim_t ldb;
  T* c;
  dim_t ldc;
  T beta;

  void run() const {
    if (n <= native_width<T>)
      by_tiles<RegisterTile<T, 1>>();
    else
      by_tiles<RegisterTile<T>>();
  }

 private:
  using Pack = Packing<Stored>;

  template <class Tile>
  void by_tiles() const {
    static thread_local ThreadBuffer<T> for_a, for_b;
    const auto [left, left_row] = widened_a(for_a);
    const dim_t a_row = of_a == Op::none ? left_row : 1, a_step = of_a == Op::none ? 1 : left_row;
    const dim_t tiles = (m + Tile::tall - 1) / Tile::tall;  // of heights that differ by one at most
    for (dim_t j = 0; j < n; j += Tile::wide) {
      const dim_t width = std::min<dim_t>(Tile::wide, n - j);
      const auto [panel, b_step] = panel_of_b<Tile>(j, width, for_b);
      for (dim_t x = 0; x < tiles; ++x) {
        const dim_t i = m * x / tiles, end = m * (x + 1) / tiles;
        Tile{k, left + i * a_row, a_row, a_step, panel, b_step, c + i * ldc + j, ldc, beta}.sum(end - i, width);
      }
    }
  }

  struct Rows {
    const T* data;
    dim_t row;
  };
  Rows widened_a(ThreadBuffer<T>& buffer) const {
    if constexpr (Pack::widens) {
      const dim_t rows = of_a == Op::none ? m : k, columns = of_a == Op::none ? k : m;
      T* const to = buffer.at_least(rows * columns);
      for (dim_t r = 0; r < rows; ++r) Pack::widen(a + r * lda, columns, to + r * columns);
      return {to, columns};
    } else {
      return {a, lda};
    }
  }
  template <class Tile>
  Rows panel_of_b(dim_t j, dim_t width, ThreadBuffer<T>& buffer) const {
    if constexpr (!Pack::widens)
      if (of_b == Op::none && width == Tile::wide) return {b + j, ldb};
    T* const to = buffer.at_least(k * Tile::wide);
    if (of_b == Op::none)
      Pack::template columns<Tile::wide>(b + j, ldb, width, k, to, k * Tile::wide);
    else
      Pack::template rows<Tile::wide>(b + j * ldb, ldb, width, k, to);
    return {to, Tile::wide};
  }
};

}  // namespace rwkv::detail
