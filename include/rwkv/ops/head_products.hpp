#pragma once
#include <algorithm>

#include <rwkv/ops/attention/tile.hpp>
#include <rwkv/ops/lines_ahead.hpp>

namespace rwkv::detail {

/// Products of the matrices that a recurrence with a state for each head is made of, in tiles of registers. Rows have
/// Size numbers and zeros up to `width`.
template <class T, dim_t Size>
struct HeadProducts {
  using Tile = detail::Tile<T>;
  using L = typename Tile::L;
  static constexpr int W = Tile::W, packs = Tile::packs, wide = Tile::wide, tall = Tile::tall;
  static constexpr dim_t width = (Size + wide - 1) / wide * wide;

  mutable LinesAhead ahead;  // asked for between tiles

  /// The state of a head, its rows so far apart.
  static void copy(const T* from, dim_t from_row, T* to, dim_t to_row) {
    for (dim_t i = 0; i < Size; ++i) std::copy_n(from + i * from_row, Size, to + i * to_row);
  }
  /// f<some>(row, column) for every tile of `count` rows, down one panel of columns after the other, or up.
  template <dim_t count, bool up = false, class F>
  void each_tile(dim_t columns, const F& f) const {
    constexpr dim_t rest = count % tall, whole = count - rest;
    for (dim_t c = 0; c < columns; c += wide) {
      if constexpr (up && rest > 0) f.template operator()<rest>(whole, c);
      for (dim_t m = 0; m < whole; m += tall) {
        ahead.ask();
        f.template operator()<tall>(up ? whole - tall - m : m, c);
      }
      if constexpr (!up && rest > 0) f.template operator()<rest>(whole, c);
    }
  }
  /// f(row, column, sum) for every pack of a tile.
  template <int some, class F>
  [[gnu::always_inline]] static void each(const L (&total)[some][packs], const F& f) {
#pragma GCC unroll 16
    for (int r = 0; r < some; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) f(r, s * W, total[r][s]);
  }
  template <int some>
  [[gnu::always_inline]] static void put(const L (&total)[some][packs], T* to) {
    each(total, [&](int r, int s, L sum) { store(to, Lanes<W>{r * width + s}, sum); });
  }
  /// x in every lane of a register, where GCC would read memory again for every use.
  [[gnu::always_inline]] static L held(T x) {
    L all = broadcast<L>(x);
#if defined(__x86_64__) && !defined(__CUDACC__)
    asm("" : "+v"(all));
#endif
    return all;
  }
  /// to = finish(to, left^T right, row, column), of Size rows; left and right have `depth`.
  template <dim_t depth, class F>
  [[gnu::always_inline]] void add_products(const T* left, const T* right, T* to, const F& finish) const {
    each_tile<Size>(width, [&]<int some>(dim_t i, dim_t c) {
      L total[some][packs];
      Tile::multiply(depth, left + i, 1, width, right + c, width, total);
      each(total, [&](int r, int s, L sum) {
        const Lanes<W> at{(i + r) * width + c + s};
        store(to, at, finish(load(to, at), sum, i + r, c + s));
      });
    });
  }
};

}  // namespace rwkv::detail
