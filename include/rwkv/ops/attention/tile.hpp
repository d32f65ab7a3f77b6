#pragma once
#include <algorithm>
#include <utility>

#include <rwkv/core/lanes.hpp>

namespace rwkv::detail {

/// The products of attention, a tile of sums at a time that stays in registers.
template <class T>
struct Tile {
  static constexpr int W = native_width<T>;
  static constexpr int packs = 2, wide = packs * W;         // queries, a lane each, that a tile spans
  static constexpr int tall = sizeof(T) * W == 64 ? 8 : 6;  // sums and operands fill the registers of AVX2
  using L = Pack<T, W>;

  /// total = A B: `rows` rows of A, `depth` steps, whole packs of B's columns.
  template <int rows, int across>
  [[gnu::always_inline]] static void multiply(dim_t depth, const T* a, dim_t a_row, dim_t a_step, const T* b,
                                              dim_t b_step, L (&total)[rows][across]) {
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < across; ++s) total[r][s] = L{};
    add(depth, a, a_row, a_step, b, b_step, total);
  }
  /// total += A B
  template <int rows, int across>
  [[gnu::always_inline]] static void add(dim_t depth, const T* a, dim_t a_row, dim_t a_step, const T* b, dim_t b_step,
                                         L (&total)[rows][across]) {
    for (dim_t p = 0; p < depth; ++p, a += a_step, b += b_step) {
      L b_p[across];
#pragma GCC unroll 4
      for (int s = 0; s < across; ++s) b_p[s] = load(b, Lanes<W>{s * W});
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const L a_p = broadcast<L>(a[r * a_row]);
#pragma GCC unroll 4
        for (int s = 0; s < across; ++s) total[r][s] += a_p * b_p[s];
      }
    }
  }

  /// f.template operator()<rows>(first) for all of `count` rows, `most` at a time and then those that are left.
  template <int most, class F>
  [[gnu::always_inline]] static void rows(dim_t count, const F& f) {
    dim_t first = 0;
    for (; first + most <= count; first += most) f.template operator()<most>(first);
    if constexpr (most > 1) rest<most - 1>(first, count - first, f);
  }

  /// to (columns, rows) = scale from^T (rows, columns)
  static void transpose(dim_t rows, dim_t columns, const T* from, dim_t from_row, T* to, dim_t to_row, T scale) {
    const dim_t whole_rows = rows / W * W, whole_columns = columns / W * W;
    for (dim_t r = 0; r < whole_rows; r += W)
      for (dim_t c = 0; c < whole_columns; c += W) {
        L block[W];
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) block[i] = load(from + (r + i) * from_row, Lanes<W>{c}) * scale;
        exchange<W / 2>(block);
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) store(to + (c + i) * to_row, Lanes<W>{r}, block[i]);
      }
    for (dim_t r = 0; r < rows; ++r)
      for (dim_t c = r < whole_rows ? whole_columns : 0; c < columns; ++c)
        to[c * to_row + r] = from[r * from_row + c] * scale;
  }

 private:
  template <int most, class F>
  static void rest(dim_t first, dim_t left, const F& f) {
    if (left == most) return f.template operator()<most>(first);
    if constexpr (most > 1) rest<most - 1>(first, left, f);
  }

  /// Exchanges the off-diagonal quarters of a square of lanes, then those of its quarters.
  template <int half>
  static void exchange(L (&block)[W]) {
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i)
      if ((i & half) == 0) pair<half>(block[i], block[i + half], std::make_integer_sequence<int, W>{});
    if constexpr (half > 1) exchange<half / 2>(block);
  }
  template <int half, int... l>
  static void pair(L& x, L& y, std::integer_sequence<int, l...>) {
    const L first = shuffle<(l & half ? l - half + W : l)...>(x, y);
    y = shuffle<(l & half ? l + W : l + half)...>(x, y);
    x = first;
  }
};

}  // namespace rwkv::detail
