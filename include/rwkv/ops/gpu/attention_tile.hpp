#pragma once
#include <rwkv/ops/attention/head_row.hpp>
#include <rwkv/ops/attention/history.hpp>
#include <rwkv/ops/gpu/moving_tile.hpp>

// What the kernels of attention have in common: a square of scores in the registers of a block, and products of tiles
// in its shared memory. A thread multiplies `rows` rows by `columns` columns, four channels at a time, so that a number
// which is read from shared memory is multiplied several times. Both are chosen so that shared memory is read least,
// among those that fit.
namespace rwkv::detail::grid {

/// How a square of scores is shared out to the threads of a block, rows and columns of it to each. `Kept` tiles of D
/// channels stay in shared memory, others move past them; `Adds` products of the square are summed up.
template <class T, dim_t D, int Kept, int Adds>
struct SquareShares {
  static constexpr int threads = MovingTile<T, D, 1>::threads;
  static constexpr int padded = MovingTile<T, D, 1>::padded, stride = MovingTile<T, D, 1>::stride;
  static constexpr int across = padded > 32 ? 16 : 8, down = threads / across;  // threads
  static constexpr int fours = (padded / 4 + across - 1) / across;              // of a row's sums, to a thread
  static constexpr std::size_t most_bytes = 48 << 10;                           // every GPU has so much
  struct Share {
    int rows, columns;
  };

  static constexpr std::size_t bytes(Share s) {
    const int rows = s.rows * down, columns = s.columns * across;
    const int notes = Kept == 1 ? rows : 4 * (rows > columns ? rows : columns);
    return sizeof(T) * static_cast<std::size_t>((Kept * rows + columns) * stride + rows * (columns + 4) + notes);
  }
  /// Reads of a warp from shared memory, 8 fours each, for 4000 of its multiplications.
  static constexpr int reads(Share s) {
    constexpr int wide = across / 8;
    return Kept * 1000 * (s.rows + s.columns * wide) / (s.rows * s.columns) +
           Adds * 1000 * (s.rows + 4 * fours * wide) / (s.rows * 4 * fours);
  }
  /// The share that reads least of those whose memory and registers suffice; none: no rows.
  static constexpr Share choose() {
    Share best{};
    for (int rows = 8; rows > 0; rows /= 2)
      for (int columns = 4; columns > 0; columns /= 2) {
        const Share s{rows, columns};
        if (bytes(s) > most_bytes || Kept * rows * columns > 32) continue;
        if (best.rows == 0 || reads(s) < reads(best)) best = s;
      }
    return best;
  }
};

/// A square of scores over a block: see SquareShares.
template <class T, dim_t D, int Kept, int Adds, class Shares = SquareShares<T, D, Kept, Adds>>
struct AttentionTile : MovingTile<T, D, Shares::choose().columns * Shares::across> {
  using Moving = MovingTile<T, D, Shares::choose().columns * Shares::across>;
  using Moving::threads, Moving::padded, Moving::stride, Moving::thread;
  static constexpr int across = Shares::across, down = Shares::down, fours = Shares::fours;
  static constexpr int own_rows = Shares::choose().rows, own_columns = Shares::choose().columns;  // of a thread
  static constexpr int rows = own_rows * down, columns = own_columns * across, square_stride = columns + 4;
  static_assert(rows > 0, "attention: heads of this width do not fit into shared memory");

  struct Memory {
    alignas(16) T kept[Kept][rows * stride];
    alignas(16) T moving[columns * stride];
    alignas(16) T square[rows * square_stride];
  };
  using Square = T[own_rows][own_columns];
  using Sums = T[own_rows][4 * fours];

  int x, y;
  explicit RWKV_HD AttentionTile(int mine) : Moving(mine), x(mine % across), y(mine / across) {}
  RWKV_HD int row(int i) const { return y + i * down; }
  RWKV_HD int column(int n) const { return x + n * across; }

  /// f(i, n) for a thread's numbers of a square.
  template <class F>
  [[gnu::always_inline]] static RWKV_HD void each(const F& f) {
    unrolled<own_rows>([&](int i) { unrolled<own_columns>([&](int n) { f(i, n); }); });
  }

  /// total = A B^T. Every number is summed up channel after channel, so that every kernel gets the same.
  [[gnu::always_inline]] RWKV_HD void dots(const T* a, const T* b, Square& total) const {
    each([&](int i, int n) { total[i][n] = T(0); });
    a += y * stride, b += x * stride;
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
    for (int c = 0; c < padded; c += 4) {
      Four<T> b_c[own_columns];
      unrolled<own_columns>([&](int n) { b_c[n] = Four<T>::read(b + n * across * stride + c); });
      unrolled<own_rows>([&](int i) {
        const auto a_c = Four<T>::read(a + i * down * stride + c);
        unrolled<4>([&](int k) { unrolled<own_columns>([&](int n) { total[i][n] += a_c.at[k] * b_c[n].at[k]; }); });
      });
    }
  }
  /// sums += square B
  [[gnu::always_inline]] RWKV_HD void add(const T* square, const T* b, Sums& sums) const {
    square += y * square_stride;
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
    for (int j = 0; j < columns; j += 4) {
      Four<T> weight[own_rows];
      unrolled<own_rows>([&](int i) { weight[i] = Four<T>::read(square + i * down * square_stride + j); });
      unrolled<4>([&](int k) {
        unrolled<fours>([&](int m) {
          const int four = x + m * across;  // past the last, that one again, for nothing
          const auto b_c = Four<T>::read(b + (j + k) * stride + 4 * (four < padded / 4 ? four : padded / 4 - 1));
          unrolled<own_rows>(
              [&](int i) { unrolled<4>([&](int l) { sums[i][4 * m + l] += weight[i].at[k] * b_c.at[l]; }); });
        });
      });
    }
  }
  /// The thread's numbers of a square, for all to read.
  template <class F>
  [[gnu::always_inline]] RWKV_HD void share(T* square, const F& f) const {
    each([&](int i, int n) { square[row(i) * square_stride + column(n)] = f(i, n); });
  }
  /// f(sum, channel) for the sums of a thread's row i.
  template <class F>
  [[gnu::always_inline]] RWKV_HD void each_sum(const Sums& sums, int i, const F& f) const {
    unrolled<4 * fours>([&](int m) {
      if (const dim_t c = 4 * (x + m / 4 * across) + m % 4; c < D) f(sums[i][m], c);
    });
  }
};

/// a / b below 2^32: for 64 bits, a GPU takes some hundred instructions.
inline RWKV_HD dim_t quotient(dim_t a, dim_t b) {
  return dim_t(static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b));
}

/// Which head of which sequence a block has, and which of its tiles.
struct HeadTile {
  dim_t h, b, tile;
  /// Tile after tile, of all heads.
  static RWKV_HD HeadTile of(dim_t block, const auto& history) {
    const dim_t of_head = quotient(block, history.heads), tile = quotient(of_head, history.seq.batch);
    return {block - of_head * history.heads, of_head - tile * history.seq.batch, tile};
  }
};

/// Rows one after the other, `count` of them, as tiles are loaded.
template <class T>
struct RowsInOrder {
  const T* from;
  dim_t apart, count;
  RWKV_HD const T* operator()(int r) const { return r < count ? from + r * apart : nullptr; }
  RWKV_HD void skip(int rows) { from += rows * apart, count -= rows; }
};
/// Those of one head's tokens from `first` to before `end`.
template <class T>
RWKV_HD RowsInOrder<T> token_rows(const auto& history, const T* x, const HeadTile& at, dim_t first, dim_t end) {
  return {x + history.row(at.b, first, at.h), history.heads * history.width, end - first};
}

/// One head's keys or values from key `oldest` on, see History; those before the call come from the ring.
template <class T>
struct KeyRows {
  const T *now, *cached;
  dim_t apart, start, oldest, window, ring;  // ring: the row of the oldest

  RWKV_HD KeyRows(const auto& history, const Keys<const T>& keys, const HeadTile& at, dim_t before, dim_t first)
      : now(keys.now + history.row(at.b, 0, at.h)),
        cached(keys.cached),
        apart(history.heads * history.width),
        start((at.b * history.window * history.heads + at.h) * history.width),
        oldest(first),
        window(history.window),
        ring(first < 0 ? (before + first) % history.window : 0) {}

  /// f(rows) with the rows from `first` to before `end`, as tiles are loaded: few steps for those of the call.
  template <class F>
  [[gnu::always_inline]] RWKV_HD void rows(dim_t first, dim_t end, const F& f) const {
    if (first >= 0)
      f(RowsInOrder<T>{now + first * apart, apart, end - first});
    else
      f([&](int r) { return first + r < end ? at(first + r) : nullptr; });
  }

 private:
  RWKV_HD const T* at(dim_t j) const {
    if (j >= 0) return now + j * apart;
    const dim_t r = ring + (j - oldest);
    return cached + start + (r < window ? r : r - window) * apart;
  }
};

/// Whether a token sees a key, by how far the key lies behind it.
struct Sight {
  dim_t window;
  RWKV_HD bool sees(dim_t behind) const { return 0 <= behind && behind < window; }
  /// Whether some of the distances least ... most are out of sight, and whether all are.
  RWKV_HD bool cuts(dim_t least, dim_t most) const { return least < 0 || most >= window; }
  RWKV_HD bool hides(dim_t least, dim_t most) const { return most < 0 || least >= window; }
};

}  // namespace rwkv::detail::grid
