#pragma once
#include <rwkv/ops/attention/reference.hpp>
#include <rwkv/ops/gpu/attention_tile.hpp>

// The backward pass, twice over the scores, so that every sum belongs to one block and comes in a fixed order:
//
//   P = 2^{Q K^T - top} / total,   dP = dY V^T,   dS = P (M dP - dy . y)
//   dQ = dS K / sqrt(D);   dV = (M P)^T dY,   dK = dS^T Q / sqrt(D)
namespace rwkv::detail::grid {

/// What the backward pass knows of a token of one head. share = 1 / total, and 0 for tokens that are not there.
template <class T>
struct TokenNote {
  T top, share, along;  // along = dy . y
  RandomWord<T> word;
};
template <class T, int Count>
struct TokenNotes {
  TokenNote<T> of[Count];
};

/// That of token t, once its dy . y is known.
template <class T, dim_t D, class Drops>
RWKV_HD TokenNote<T> known_note(const auto& op, const HeadTile& at, dim_t t, dim_t stop) {
  TokenNote<T> note{};
  if (t >= stop) return note;
  const dim_t n = op.history.row(at.b, t, at.h) / D;
  note.top = op.softmax.top(n), note.share = T(1) / op.softmax.total(n), note.along = op.along[n];
  if constexpr (Drops::any) note.word = op.drops.template word<T>(n);
  return note;
}

/// dq of a tile of tokens, the keys that they see a tile after the other, and dy . y for the gradients of the keys.
template <class T, dim_t D, class Drops>
struct AttentionBackwardQueries {
  using Tile = AttentionTile<T, D, 2, 1>;
  static constexpr int threads = Tile::threads, rows = Tile::rows, columns = Tile::columns;
  static_assert(rows <= threads);
  AttentionQueryGradient<T, D, Drops> op;

  dim_t tiles() const { return (op.history.seq.time + rows - 1) / rows; }
  dim_t blocks() const { return tiles() * op.history.seq.batch * op.history.heads; }

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    auto& memory = here.template shared<typename Tile::Memory>();
    auto& notes = here.template shared<TokenNotes<T, rows>>();
    const Tile my(here.thread());
    const History<T>& history = op.history;
    const HeadTile at = HeadTile::of(here.index(), history);
    const dim_t time = history.seq.time, before = history.before(at.b);
    const dim_t t = ((time - 1) / rows - at.tile) * rows;  // those that see the most begin first
    const dim_t end = t + rows < time ? t + rows : time, first = history.first(before, t);
    const KeyRows<T> key(history, op.k, at, before, first), value(history, op.v, at, before, first);
    typename Tile::Fetched moving;
    my.fetch(moving, value, first, end);
    const T *const q = memory.kept[0], *const dy = memory.kept[1];
    my.load(rows, memory.kept[0], token_rows(history, op.q, at, t, end), query_scale<T>(D));
    my.load(rows, memory.kept[1], token_rows(history, op.dy, at, t, end));
    for (int r = 0; r < rows; r += columns) {  // y passes where keys will
      here.sync();                             // dy is there, and what passed before has been read
      my.load(columns, memory.moving, token_rows(history, op.y, at, t + r, end));
      here.sync();
      if (const int row = my.thread; r <= row && row < r + columns && row < rows)
        notes.of[row] = note(at, t + row, end, dy + row * Tile::stride, memory.moving + (row - r) * Tile::stride);
    }

    typename Tile::Sums dq;
    unrolled<Tile::own_rows>([&](int i) { unrolled<4 * Tile::fours>([&](int m) { dq[i][m] = T(0); }); });
    for (dim_t j = first; j < end; j += columns) {
      here.sync();  // the keys before have been read
      my.put(moving, memory.moving);
      my.fetch(moving, key, j, end);
      here.sync();
      typename Tile::Square s, dp;
      my.dots(dy, memory.moving, dp);
      here.sync();
      my.put(moving, memory.moving);
      if (j + columns < end) my.fetch(moving, value, j + columns, end);
      here.sync();
      my.dots(q, memory.moving, s);
      const Sight sight{history.window};
      const bool cut = sight.cuts(t - j - (columns - 1), t - j + (rows - 1));
      my.share(memory.square, [&](int i, int n) {
        const TokenNote<T>& of = notes.of[my.row(i)];
        if constexpr (Drops::any) dp[i][n] *= Drops::template factor<T>(of.word, detail::columns<T>(j + my.column(n)));
        const T ds = exp2_nonpositive(s[i][n] - of.top) * of.share * (dp[i][n] - of.along);
        return cut && !sight.sees(t - j + my.row(i) - my.column(n)) ? T(0) : ds;
      });
      here.sync();
      my.add(memory.square, memory.moving, dq);
    }
    const T scale = T(1) / math::sqrt(T(D));
    unrolled<Tile::own_rows>([&](int i) {
      if (t + my.row(i) >= end) return;
      const dim_t row = history.row(at.b, t + my.row(i), at.h);
      my.each_sum(dq, i, [&](T sum, dim_t c) { op.dq[row + c] = sum * scale; });
    });
  }

 private:
  /// dy . y is summed up as dy . v is, by one thread from the first channel to the last: where y is v, they cancel.
  /// With 512 keys that is some 2 % of a tile's time.
  RWKV_HD TokenNote<T> note(const HeadTile& at, dim_t t, dim_t end, const T* dy, const T* y) const {
    TokenNote<T> note{};
    if (t >= end) return note;
    const dim_t n = op.history.row(at.b, t, at.h) / D;
    for (int c = 0; c < Tile::padded; c += 4) {
      const auto dy_c = Four<T>::read(dy + c), y_c = Four<T>::read(y + c);
      unrolled<4>([&](int k) { note.along += dy_c.at[k] * y_c.at[k]; });
    }
    op.along[n] = note.along;
    note.top = op.softmax.top(n), note.share = T(1) / op.softmax.total(n);
    if constexpr (Drops::any) note.word = op.drops.template word<T>(n);
    return note;
  }
};

/// dk and dv of a tile of keys, of the call or of the ring, the tokens that see them a tile after the other.
template <class T, dim_t D, class Drops>
struct AttentionBackwardKeys {
  using Tile = AttentionTile<T, D, 2, 2>;
  static constexpr int threads = Tile::threads, rows = Tile::rows, columns = Tile::columns;
  static_assert(columns <= threads);
  AttentionQueryGradient<T, D, Drops> op;  // along is known
  Keys<T> dk, dv;

  dim_t tiles() const { return past_tiles() + (op.history.seq.time + rows - 1) / rows; }
  dim_t blocks() const { return tiles() * op.history.seq.batch * op.history.heads; }

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const History<T>& history = op.history;
    const HeadTile at = HeadTile::of(here.index(), history);
    const dim_t time = history.seq.time, before = history.before(at.b), oldest = history.first(before, 0);
    const dim_t tile = (at.tile - past_tiles()) * rows;  // of the ring or of the call, never of both
    const dim_t j = tile > oldest ? tile : oldest, end = tile + rows < time ? tile + rows : time;
    if (j >= end) return;  // nothing that was ever written
    auto& memory = here.template shared<typename Tile::Memory>();
    auto& notes = here.template shared<TokenNotes<T, columns>>();
    const Tile my(here.thread());
    const KeyRows<T> key(history, op.k, at, before, j), value(history, op.v, at, before, j);
    const T *const k = memory.kept[0], *const v = memory.kept[1];
    key.rows(j, end, [&](const auto& row) { my.load(rows, memory.kept[0], row); });
    value.rows(j, end, [&](const auto& row) { my.load(rows, memory.kept[1], row); });

    const dim_t first = j > 0 ? j : 0, stop = history.end(end - 1);  // the tokens that see one of them
    typename Tile::Fetched moving;
    my.fetch(moving, token_rows(history, op.q, at, first, stop));
    typename Tile::Sums dk_j, dv_j;
    unrolled<Tile::own_rows>([&](int i) { unrolled<4 * Tile::fours>([&](int m) { dk_j[i][m] = dv_j[i][m] = T(0); }); });
    for (dim_t t = first; t < stop; t += columns) {
      here.sync();  // the queries before have been read
      my.put(moving, memory.moving, query_scale<T>(D));
      if (my.thread < columns) notes.of[my.thread] = known_note<T, D, Drops>(op, at, t + my.thread, stop);
      my.fetch(moving, token_rows(history, op.dy, at, t, stop));
      here.sync();
      typename Tile::Square s, dp;
      my.dots(k, memory.moving, s);
      const Sight sight{history.window};
      const bool cut = sight.cuts(t - j - (rows - 1), t - j + (columns - 1));
      [[maybe_unused]] const auto kept = [&](int i, int n) {
        return Drops::template factor<T>(notes.of[my.column(n)].word, detail::columns<T>(j + my.row(i)));
      };
      Tile::each([&](int i, int n) {
        const TokenNote<T>& of = notes.of[my.column(n)];
        const T p = exp2_nonpositive(s[i][n] - of.top) * of.share;
        s[i][n] = cut && !sight.sees(t - j + my.column(n) - my.row(i)) ? T(0) : p;
      });
      my.share(memory.square, [&](int i, int n) {
        if constexpr (Drops::any)
          return s[i][n] * kept(i, n);
        else
          return s[i][n];
      });
      here.sync();  // the queries have been read
      my.put(moving, memory.moving);
      my.fetch(moving, token_rows(history, op.q, at, t, stop));  // again: there are no registers to keep them in
      here.sync();
      my.dots(v, memory.moving, dp);
      my.add(memory.square, memory.moving, dv_j);
      here.sync();
      my.put(moving, memory.moving, query_scale<T>(D));
      my.share(memory.square, [&](int i, int n) {
        if constexpr (Drops::any) dp[i][n] *= kept(i, n);
        return s[i][n] * (dp[i][n] - notes.of[my.column(n)].along);
      });
      if (t + columns < stop) my.fetch(moving, token_rows(history, op.q, at, t + columns, stop));
      here.sync();
      my.add(memory.square, memory.moving, dk_j);
    }
    constexpr T ln2 = T(0.69314718055994530942);  // the queries were multiplied by log2 e / sqrt(D)
    unrolled<Tile::own_rows>([&](int i) {
      const dim_t row = j + my.row(i);
      if (row >= end) return;
      T *const to_k = dk.row(history, at.b, before, row, at.h), *const to_v = dv.row(history, at.b, before, row, at.h);
      const bool cached = row < 0;
      my.each_sum(dk_j, i, [&](T sum, dim_t c) { to_k[c] = (cached ? to_k[c] : T(0)) + sum * ln2; });
      my.each_sum(dv_j, i, [&](T sum, dim_t c) { to_v[c] = (cached ? to_v[c] : T(0)) + sum; });
    });
  }

 private:
  RWKV_HD dim_t past_tiles() const { return op.history.position ? (op.history.window - 1 + rows - 1) / rows : 0; }
};

}  // namespace rwkv::detail::grid
