#pragma once
#include <rwkv/ops/gpu/head_tile.hpp>

namespace rwkv::detail::grid {

/// Rows of a head's state over a block, four to `lanes` neighbours, four columns to each. Several blocks have a head.
template <dim_t Size>
struct RowTile {
  static constexpr int threads = 64;  // more: fewer blocks, which read what all rows need less often
  static constexpr int lanes = static_cast<int>(Size / 4), most = threads / lanes * 4;
  static constexpr int rows = most < Size ? most : static_cast<int>(Size), blocks = static_cast<int>(Size) / rows;
  dim_t first;      // row of the block
  int column, row;  // of the thread; the row is counted from the block's first
  bool inside;

  RWKV_HD RowTile(dim_t block, int thread)
      : first(block * rows), column(thread % lanes * 4), row(thread / lanes * 4), inside(row < rows) {
    if (!inside) row = 0;  // reads along, writes nothing
  }
  /// f(k, place) for the thread's four rows, in a state.
  template <class F>
  [[gnu::always_inline]] RWKV_HD void each_row(const F& f) const {
    unrolled<4>([&](int k) { f(k, (first + row + k) * Size + column); });
  }
  template <class Number>
  RWKV_HD void read(const Number* state, Number (&z)[4][4]) const {
    each_row([&](int k, dim_t i) {
      const auto four = Four<Number>::read(state + i);
      unrolled<4>([&](int c) { z[k][c] = four.at[c]; });
    });
  }
  template <class Number>
  RWKV_HD void write(Number* state, const Number (&z)[4][4]) const {
    if (!inside) return;
    each_row([&](int k, dim_t i) {
      Four<Number> four;
      unrolled<4>([&](int c) { four.at[c] = z[k][c]; });
      four.write(state + i);
    });
  }
};

/// Where a block goes back in time over its rows of a state, from the states before every span. Within a span it goes
/// forward to the states before pieces of it, which wait in shared memory, and then piece by piece from the last:
/// forward once more, this time with the state before every token in registers, and back. So nothing is divided by a
/// decay.
///
/// `Columns` signals are staged whole, `Rows` signals for the block's rows, those first that move the state; the first
/// of the latter is a decay, which is given by its logarithm.
template <class Number, dim_t Size, int Columns, int Rows, int MovingColumns, int MovingRows>
struct BackInTime {
  using Tile = RowTile<Size>;
  static constexpr int tokens = 8, threads = Tile::threads;  // that are staged at once
  static constexpr int part = sizeof(Number) > 4 ? 8 : 4;    // more: fewer states in shared memory, more in registers
  static constexpr int pieces = static_cast<int>(span) / part;
  static_assert(span % tokens == 0 && tokens % part == 0);
  using State = Number[4][4];
  struct alignas(16) Memory {
    Number columns[Columns][tokens][Size], rows[Rows][tokens][Tile::rows];
    Four<Number> before[pieces - 1][4][threads];
  };
  template <int signals>
  struct Values {
    Number at[signals];
  };
  Memory& memory;
  Tile tile;
  int thread;

  /// What of a staged token the thread has to do with.
  RWKV_HD Four<Number> column(int signal, int token) const {
    return Four<Number>::read(&memory.columns[signal][token][tile.column]);
  }
  RWKV_HD Four<Number> row(int signal, int token) const {
    return Four<Number>::read(&memory.rows[signal][token][tile.row]);
  }
  /// Stages n tokens from the first on, all at once under way; only what moves the state, or everything.
  template <bool everything, Block Here, class Read>
  [[gnu::always_inline]] RWKV_HD void stage(Here& here, dim_t first, int n, const Read& read) const {
    using OfColumns = Brought<static_cast<int>(Size), threads>;
    using OfRows = Brought<Tile::rows, threads>;
    constexpr int of_columns = (tokens * static_cast<int>(Size) + threads - 1) / threads;
    constexpr int of_rows = (tokens * Tile::rows + threads - 1) / threads;
    Values<Columns> columns[of_columns];
    Values<Rows> rows[of_rows];
    unrolled<of_columns>([&](int k) {
      if (const int token = OfColumns::token(thread, k); token < n)
        columns[k] = read.columns(first + token, OfColumns::channel(thread, k));
    });
    unrolled<of_rows>([&](int k) {
      if (const int token = OfRows::token(thread, k); token < n)
        rows[k] = read.rows(first + token, tile.first + OfRows::channel(thread, k));
    });
    here.sync();  // what was staged before has been read
    unrolled<of_columns>([&](int k) {
      const int token = OfColumns::token(thread, k), c = OfColumns::channel(thread, k);
      if (token < n)
        unrolled<everything ? Columns : MovingColumns>([&](int s) { memory.columns[s][token][c] = columns[k].at[s]; });
    });
    unrolled<of_rows>([&](int k) {
      const int token = OfRows::token(thread, k), c = OfRows::channel(thread, k);
      if (token < n)
        unrolled<everything ? Rows : MovingRows>(
            [&](int s) { memory.rows[s][token][c] = s == 0 ? math::exp(rows[k].at[s]) : rows[k].at[s]; });
    });
    here.sync();
  }

  /// From the last token to the first: advance(z, j, to) makes of the state z before the j-th staged token that after
  /// it, met(z, j, t) sees the latter, and back(z, j, t) the former. start(n) is the state before span n.
  template <Block Here, class Read, class Start, class Advance, class Met, class Back>
  [[gnu::always_inline]] RWKV_HD void run(Here& here, Seq seq, const Read& read, const Start& start,
                                          const Advance& advance, const Met& met, const Back& back) const {
    for (dim_t n = seq.spans(); n-- > 0;) {
      const dim_t first = n * span;
      const int left = static_cast<int>(math::min(span, seq.time - first)), last = (left - 1) / part;
      State z[part];  // before tokens of a piece
      const auto before = [&](int i) {
        if (i == 0) return tile.read(start(n), z[0]);
        unrolled<4>([&](int k) {
          const auto four = memory.before[i - 1][k][thread];
          unrolled<4>([&](int c) { z[0][k][c] = four.at[c]; });
        });
      };
      before(0);
      for (int i = 0; i < last; ++i) {
        const int staged = i * part % tokens;
        if (staged == 0) stage<false>(here, first + i * part, math::min(tokens, left - i * part), read);
        unrolled<part>([&](int j) { advance(z[0], staged + j, z[0]); });
        unrolled<4>([&](int k) { memory.before[i][k][thread] = {z[0][k][0], z[0][k][1], z[0][k][2], z[0][k][3]}; });
      }
      for (int i = last; i >= 0; --i) {
        const int staged = i * part % tokens, from = i * part - staged, count = math::min(part, left - i * part);
        if (i == last || (i + 1) * part % tokens == 0)
          stage<true>(here, first + from, math::min(tokens, left - from), read);
        before(i);
        unrolled<part>([&](int j) {
          if (j >= count) return;
          State after;
          advance(z[j], staged + j, after);
          met(after, staged + j, first + i * part + j);
          if (j + 1 < part)
            unrolled<4>([&](int k) { unrolled<4>([&](int c) { z[(j + 1) % part][k][c] = after[k][c]; }); });
        });
        unrolled<part>([&](int m) {
          if (const int j = part - 1 - m; j < count) back(z[j], staged + j, first + i * part + j);
        });
      }
    }
  }
};

}  // namespace rwkv::detail::grid
