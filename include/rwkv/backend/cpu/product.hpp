#pragma once
#include <algorithm>
#include <type_traits>

#include <rwkv/backend/backend.hpp>
#include <rwkv/backend/cpu/packing.hpp>
#include <rwkv/backend/cpu/register_tile.hpp>
#include <rwkv/backend/pool.hpp>
#include <rwkv/backend/thread_buffer.hpp>

namespace rwkv::detail {

/// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C in tiles that stay in registers for a whole block of k.
///
/// op(B) is packed into panels of `wide` columns, op(A) into panels of `tall` rows unless it can be read in place, so
/// that what one step of k needs lies side by side. A panel of B stays in L1 while the tiles of a strip pass by, and
/// their rows of A stay in L2 for the next panel. The order in which an element is summed depends on k alone. What is
/// packed is widened to what it is computed with, so that rows of A are read in place only where they are that already.
/// For one row of A, packing B would be most of the work: whole panels are read where they lie, unless rows of B are
/// longer than a page, which memory answers more slowly than packing.
template <class Left, class Right, class Out, class Tile = RegisterTile<Factors<Left, Right>>>
struct Product {
  using Multiplied = Factors<Left, Right>;
  using T = typename Multiplied::Sum;
  using Number = typename Multiplied::Number;
  static constexpr dim_t together = Multiplied::together;
  static constexpr int wide = Tile::wide, tall = Tile::tall;
  static constexpr dim_t deep = Tile::deep;
  static constexpr dim_t high = 24;                          // tiles in a strip
  static constexpr dim_t keep = (8 << 20) / sizeof(Number);  // numbers of an operand packed at a time: L3

  Op of_a, of_b;
  dim_t m, n, k;
  const Left* a;
  dim_t lda;  // from a row to the next, as they are stored
  const Right* b;
  dim_t ldb;
  Out* c;
  dim_t ldc;
  T beta;
  dim_t blocks = (k + deep - 1) / deep;  // of k; the last one may be shallower
  dim_t depth = ((k + blocks - 1) / blocks + Tile::steps - 1) / Tile::steps * Tile::steps;

  void run() const {
    if constexpr (reads_b)
      if (m == 1 && of_a == Op::none && of_b == Op::none && ldb * dim_t(sizeof(Right)) <= page) return in_place();
    packed();
  }

 private:
  using PackA = typename Tile::template Packed<Left>;
  using PackB = typename Tile::template Packed<Right>;
  static constexpr bool widens_a = PackA::widens;
  static constexpr dim_t page = 4096;
  static constexpr bool reads_b =
      !widens_a && !PackB::widens && !Tile::whole_steps && together == 1 && std::is_same_v<Out, T>;
  template <int Across>
  static constexpr dim_t group =
      256 / sizeof(Number) / Across;  // panels packed together, so that rows are read in runs of lines

  void in_place() const {
    const dim_t tiles = n / wide, whole = tiles * wide;
    parallel_if(n * k >= 1 << 14, tiles, [&](dim_t tile) {
      const dim_t j = tile * wide;
      for (dim_t p = 0; p < k; p += depth)
        Tile{std::min(depth, k - p), a + p, lda, 1, b + p * ldb + j, ldb}.sum(1, wide, c + j, ldc,
                                                                              p == 0 ? beta : T(1));
    });
    if (whole < n) Product{of_a, of_b, m, n - whole, k, a, lda, b + whole, ldb, c + whole, ldc, beta}.packed();
  }
  void packed() const {
    static thread_local ThreadBuffer<Number> for_a, for_b;
    static thread_local ThreadBuffer<T> for_sums;
    T* const sums = !std::is_same_v<Out, T> && blocks > 1 ? for_sums.at_least(m * n) : nullptr;
    const bool pack_a = widens_a || of_a == Op::transpose || (Tile::whole_steps && k % Tile::steps > 0);
    const dim_t fit = std::max<dim_t>(keep / depth / wide, 1) * wide;
    const dim_t rows = pack_a ? std::min(m, fit) : m, columns = std::min(n, fit);
    const dim_t some = std::max<dim_t>(keep / (std::max(pack_a ? rows : 0, columns) * depth), 1);
    for (dim_t first = 0; first < blocks; first += some)
      for (dim_t j = 0; j < n; j += columns)
        for (dim_t i = 0; i < m; i += rows) {
          Part part{*this, sums,
                    i,     std::min(rows, m - i),
                    j,     std::min(columns, n - j),
                    first, std::min(some, blocks - first)};
          if (pack_a) part.a_panels = for_a.at_least(part.count * part.tiles * tall * depth);
          if (part.strips > 1) part.b_panels = for_b.at_least(part.count * part.panels * wide * depth);
          part.pack(i == 0);
          part.multiply();
        }
  }

  /// Rows i ... and columns j ... of C, summed over `count` blocks of k from the first on.
  struct Part {
    const Product& all;
    T* sums;  ///< of blocks before the last, where C is stored shorter than them
    dim_t i, rows, j, columns, first, count;
    dim_t tiles = (rows + tall - 1) / tall, panels = (columns + wide - 1) / wide;
    dim_t strips = (tiles + high - 1) / high, strip = (tiles + strips - 1) / strips;
    Number* a_panels = nullptr;  // null: A is read in place
    Number* b_panels = nullptr;  // null: a single strip, whose thread packs each panel where it needs it

    dim_t depth_of(dim_t block) const { return std::min(all.depth, all.k - (first + block) * all.depth); }
    Number* a_panel(dim_t block, dim_t x) const { return a_panels + (block * tiles + x) * tall * all.depth; }
    Number* b_panel(dim_t block, dim_t y) const { return b_panels + (block * panels + y) * wide * all.depth; }

    /// Packs what several strips or threads will read. The panels of B are still there when only the rows move on.
    void pack(bool b_too) const {
      const dim_t b_groups = b_panels && b_too ? (panels + group<wide> - 1) / group<wide> : 0;
      const dim_t a_groups = a_panels ? (tiles + group<tall> - 1) / group<tall> : 0;
      const dim_t numbers = count * all.depth * ((b_groups ? columns : 0) + (a_groups ? rows : 0));
      parallel_if(numbers > 1 << 13, count * (b_groups + a_groups), [&](dim_t task) {
        const dim_t block = task / (b_groups + a_groups), one = task % (b_groups + a_groups);
        const dim_t y = one * group<wide>, x = (one - b_groups) * group<tall>;
        if (one < b_groups)
          pack_b(block, y, group<wide>, b_panel(block, y));
        else
          pack_a(block, x, group<tall>, a_panel(block, x));
      });
    }
    void pack_a(dim_t block, dim_t x, dim_t some, Number* to) const {
      if constexpr (widens_a || Tile::whole_steps)
        if (all.of_a == Op::none) return widen_rows(block, x, some, to);
      const Left* from = all.a + (first + block) * all.depth * all.lda + i + x * tall;
      const dim_t lines = std::min(some * tall, rows - x * tall);
      if constexpr (Tile::reads_across)
        PackA::template columns<tall>(from, all.lda, lines, depth_of(block), to, tall * all.depth);
      else
        PackA::turn(from, all.lda, lines, depth_of(block), to, all.depth);
    }
    /// Rows one after the other, as they lie in A.
    void widen_rows(dim_t block, dim_t x, dim_t some, Number* to) const {
      const dim_t first_row = x * tall, end = std::min(first_row + some * tall, rows);
      for (dim_t r = first_row; r < end; ++r, to += all.depth)
        PackA::widen(all.a + (i + r) * all.lda + (first + block) * all.depth, depth_of(block), to);
    }
    void pack_b(dim_t block, dim_t y, dim_t some, Number* to) const {
      const dim_t p = (first + block) * all.depth, at = j + y * wide, lines = std::min(some * wide, columns - y * wide);
      if (all.of_b == Op::none) {
        const Right* from = all.b + p * all.ldb + at;
        PackB::template columns<wide>(from, all.ldb, lines, depth_of(block), to, wide * all.depth);
      } else {
        for (dim_t q = 0; q < lines; q += wide)
          PackB::template rows<wide>(all.b + (at + q) * all.ldb + p, all.ldb, lines - q, depth_of(block),
                                     to + q * all.depth);
      }
    }

    /// Tiles are counted down a strip, then panel by panel, then strip by strip; every thread takes an equal run.
    void multiply() const {
      const dim_t shares = pool().threads(), total = tiles * panels;
      parallel_if(all.m * all.n * all.k > 1 << 17, shares, [&](dim_t share) {
        static thread_local ThreadBuffer<Number> scratch;
        Number* const own = b_panels ? nullptr : scratch.at_least(group<wide> * wide * all.depth);
        const dim_t begin = total * share / shares, end = total * (share + 1) / shares;
        [[maybe_unused]] const typename Tile::Use use;
        for (dim_t block = 0; block < count; ++block)
          for (dim_t u = begin, ready = 0, since = 0; u < end;) {
            const dim_t top = u / (strip * panels) * strip, height = std::min(strip, tiles - top), v = u - top * panels;
            const dim_t y = v / height, bottom = top + height;
            if (own && y >= ready) {
              since = y;
              ready = std::min(y + group<wide>, (end - 1) / tiles + 1);
              pack_b(block, y, ready - y, own);
            }
            const Number* panel = own ? own + (y - since) * wide * all.depth : b_panel(block, y);
            for (dim_t x = top + v % height; x < bottom && u < end; ++x, ++u) tile(block, x, y, panel);
          }
      });
    }

    const Number* in_place(dim_t block, dim_t x) const {
      if constexpr (widens_a)
        return nullptr;
      else
        return all.a + (i + x * tall) * all.lda + (first + block) * all.depth;
    }
    void tile(dim_t block, dim_t x, dim_t y, const Number* panel) const {
      const bool across = Tile::reads_across && all.of_a == Op::transpose, begins = first + block == 0;
      const dim_t a_row = across ? together : (a_panels ? all.depth : all.lda);
      const dim_t a_step = across ? together * tall : together;
      const Tile one{depth_of(block), a_panels ? a_panel(block, x) : in_place(block, x), a_row, a_step, panel,
                     together * wide};
      const dim_t height = std::min<dim_t>(tall, rows - x * tall), width = std::min<dim_t>(wide, columns - y * wide);
      const dim_t row = i + x * tall, column = j + y * wide;
      Out* const to = all.c + row * all.ldc + column;
      if constexpr (std::is_same_v<Out, T>) {
        one.sum(height, width, to, all.ldc, begins ? all.beta : T(1));
      } else {
        T* const partial = sums ? sums + row * all.n + column : nullptr;
        if (first + block + 1 < all.blocks)
          one.sum(height, width, partial, all.n, begins ? T(0) : T(1));
        else
          one.sum(height, width, to, all.ldc, all.beta, begins ? nullptr : partial, all.n);
      }
    }
  };
};

}  // namespace rwkv::detail
