#pragma once
#include <rwkv/ops/attention/reference.hpp>
#include <rwkv/ops/gpu/attention_tile.hpp>

namespace rwkv::detail::grid {

/// A tile of tokens of one head, before all the keys that they see, a tile of them after the other.
///
///   S = Q K^T,   top' = max(top, S),   P = 2^{S - top'}
///   total = 2^{top - top'} total + sum_j P_j,   Y = 2^{top - top'} Y + P V
///
/// At the end Y is divided by total. The values are fetched while scores are made, the next keys while Y is.
template <class T, dim_t D, class Drops>
struct AttentionForward {
  using Tile = AttentionTile<T, D, 1, 1>;
  static constexpr int threads = Tile::threads, rows = Tile::rows, columns = Tile::columns;
  static_assert(rows <= threads);
  AttentionRow<T, D, Drops> op;

  dim_t tiles() const { return (op.history.seq.time + rows - 1) / rows; }
  dim_t blocks() const { return tiles() * op.history.seq.batch * op.history.heads; }

  struct Words {
    RandomWord<T> of[rows];
  };
  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    auto& memory = here.template shared<typename Tile::Memory>();
    const Tile my(here.thread());
    const History<T>& history = op.history;
    const HeadTile at = HeadTile::of(here.index(), history);
    const dim_t time = history.seq.time, before = history.before(at.b);
    const dim_t t = ((time - 1) / rows - at.tile) * rows;  // those that see the most begin first
    const dim_t end = t + rows < time ? t + rows : time, first = history.first(before, t);
    const KeyRows<T> key(history, op.k, at, before, first), value(history, op.v, at, before, first);
    typename Tile::Fetched moving;
    my.fetch(moving, key, first, end);
    my.load(rows, memory.kept[0], token_rows(history, op.q, at, t, end), query_scale<T>(D));
    [[maybe_unused]] const RandomWord<T>* words = nullptr;
    if constexpr (Drops::any) {
      auto& drawn = here.template shared<Words>();
      if (my.thread < rows) drawn.of[my.thread] = op.drops.template word<T>(history.row(at.b, t + my.thread, at.h) / D);
      words = drawn.of;
    }

    T top[Tile::own_rows], total[Tile::own_rows];
    typename Tile::Sums y;
    unrolled<Tile::own_rows>([&](int i) {
      top[i] = std::numeric_limits<T>::lowest(), total[i] = T(0);
      unrolled<4 * Tile::fours>([&](int m) { y[i][m] = T(0); });
    });
    for (dim_t j = first; j < end; j += columns) {
      here.sync();  // the values before have been read
      my.put(moving, memory.moving);
      my.fetch(moving, value, j, end);
      here.sync();
      typename Tile::Square s;
      my.dots(memory.kept[0], memory.moving, s);

      const Sight sight{history.window};
      const bool cut = sight.cuts(t - j - (columns - 1), t - j + (rows - 1));
      const auto unseen = [&](int i, int n) { return cut && !sight.sees(t - j + my.row(i) - my.column(n)); };
      Tile::each([&](int i, int n) {
        if (unseen(i, n)) s[i][n] = std::numeric_limits<T>::lowest();
      });
      unrolled<Tile::own_rows>([&](int i) {
        T higher = top[i];
        unrolled<Tile::own_columns>([&](int n) { higher = math::max(s[i][n], higher); });
        for (int bit = Tile::across / 2; bit > 0; bit /= 2) higher = math::max(higher, here.from_lane(higher, bit));
        const T old = exp2_nonpositive(top[i] - higher);
        top[i] = higher, total[i] *= old;
        unrolled<4 * Tile::fours>([&](int m) { y[i][m] *= old; });
        unrolled<Tile::own_columns>([&](int n) { s[i][n] = exp2_nonpositive(s[i][n] - higher); });
      });
      Tile::each([&](int i, int n) {
        if (unseen(i, n)) s[i][n] = T(0);
        total[i] += s[i][n];
      });
      my.share(memory.square, [&](int i, int n) {
        if constexpr (Drops::any)
          return s[i][n] * Drops::template factor<T>(words[my.row(i)], detail::columns<T>(j + my.column(n)));
        else
          return s[i][n];
      });
      here.sync();  // the keys have been read
      my.put(moving, memory.moving);
      if (j + columns < end) my.fetch(moving, key, j + columns, end);
      here.sync();
      my.add(memory.square, memory.moving, y);
    }
    unrolled<Tile::own_rows>([&](int i) {
      for (int bit = Tile::across / 2; bit > 0; bit /= 2) total[i] += here.from_lane(total[i], bit);
      if (t + my.row(i) >= end) return;
      const dim_t row = history.row(at.b, t + my.row(i), at.h), n = row / D;
      my.each_sum(y, i, [&](T sum, dim_t c) { op.y[row + c] = sum / total[i]; });
      if (my.x == 0) op.softmax.top(n) = top[i], op.softmax.total(n) = total[i];
    });
  }
};

}  // namespace rwkv::detail::grid
