#pragma once
#include <rwkv/ops/gpu/attention_backward.hpp>
#include <rwkv/ops/gpu/attention_tensor_tile.hpp>

// The backward pass on tensor cores, twice over the scores as in attention_backward.hpp, which says what is computed. A
// warp makes the square of its rows in its registers, P and dS in place of S and dP. The scores are those of the
// forward pass, to the bit: the same products in the same order.
namespace rwkv::detail::grid {

/// dq of a tile of tokens, the keys that they see a tile after the other, and dy . y for the gradients of the keys.
template <dim_t D, class Drops>
struct AttentionTensorBackwardQueries {
  using Tile = TensorTile<D>;
  static constexpr int threads = Tile::threads, rows = 16 * Tile::warps, columns = 32;
  static constexpr int at_once = D <= 64 ? 3 : 2;
  AttentionQueryGradient<bf16, D, Drops> op;

  dim_t tiles() const { return (op.history.seq.time + rows - 1) / rows; }
  dim_t blocks() const { return tiles() * op.history.seq.batch * op.history.heads; }

  struct Moving {
    bf16 keys[2][columns * Tile::stride], values[columns * Tile::stride];
  };
  struct Memory {
    union {
      alignas(16) bf16 own[2][rows * Tile::stride];  // at first: queries and dy, then y
      Moving moving;
    };
  };
  static_assert(sizeof(Memory) <= Tile::most_bytes);

  template <TensorBlock Here>
  RWKV_HD void operator()(Here& here) const {
    auto& memory = here.template shared<Memory>();
    const int thread = here.thread(), mine = thread / warp * 16;
    const auto& history = op.history;
    const HeadTile at = HeadTile::of(here.index(), history);
    const dim_t time = history.seq.time, before = history.before(at.b);
    const dim_t t = ((time - 1) / rows - at.tile) * rows;  // those that see the most begin first
    const dim_t end = t + rows < time ? t + rows : time, first = history.first(before, t);

    typename Tile::template Rows<1> q, dy;
    Tile::template bring<rows>(here, memory.own[0], token_rows(history, op.q, at, t, end));
    Tile::template bring<rows>(here, memory.own[1], token_rows(history, op.dy, at, t, end));
    here.finish_copies();
    here.sync();
    Tile::template read<1>(here, memory.own[0] + mine * Tile::stride, q);
    Tile::template read<1>(here, memory.own[1] + mine * Tile::stride, dy);
    here.sync();
    Tile::template bring<rows>(here, memory.own[0], token_rows(history, op.y, at, t, end));
    here.finish_copies();
    here.sync();
    TokenNote<float> notes[2];  // of row fragment_row(thread, 0) of the warp, and of the one 8 further
    note(here, dy, memory.own[0] + mine * Tile::stride, at, t + mine, end, notes);
    here.sync();
    auto& moving = memory.moving;
    Tile::template bring<columns>(here, moving.keys[0], history, op.k, at, before, first, end);
    Tile::template bring<columns>(here, moving.values, history, op.v, at, before, first, end);

    typename Tile::template Sums<1> dq;
    Tile::clear(dq);
    const float scale = query_scale<float>(D);
    bool side = false;
    for (dim_t j = first; j < end; j += columns, side = !side) {
      here.finish_copies();
      here.sync();  // keys and values are there, the keys before have been read
      if (j + columns < end)
        Tile::template bring<columns>(here, moving.keys[!side], history, op.k, at, before, j + columns, end);
      const SquareSight<1> sight(t + mine - j, history.window, 16, columns);
      SumFragment square[1][columns / 8];
      if (sight.any) {
        SumFragment dp[1][columns / 8];
        Tile::dots(here, q, moving.keys[side], square);
        Tile::dots(here, dy, moving.values, dp);
        Tile::each(square, [&](int s, int n, int i) {
          const TokenNote<float>& of = notes[i / 2];
          float& x = square[s][n].at[i];
          float dp_n = dp[s][n].at[i];
          if constexpr (Drops::any)
            dp_n *=
                Drops::template factor<float>(of.word, detail::columns<float>(j + 8 * n + fragment_column(thread, i)));
          x = weight_of(rounded_product(x, scale) - of.top) * of.share * (dp_n - of.along);
        });
        if (sight.cut)
          Tile::each(square, [&](int s, int n, int i) {
            if (!sight.sees(fragment_row(thread, i), 8 * n + fragment_column(thread, i))) square[s][n].at[i] = 0;
          });
      }
      here.sync();  // the values have been read
      if (j + columns < end)
        Tile::template bring<columns>(here, moving.values, history, op.v, at, before, j + columns, end);
      if (sight.any) Tile::add(here, square, moving.keys[side], dq);
    }
    const float root = 1 / math::sqrt(float(D));
    unrolled<2>([&](int half) {
      const dim_t token = t + mine + fragment_row(thread, 2 * half);
      if (token >= end) return;
      bf16* const row = op.dq + history.row(at.b, token, at.h);
      Tile::each_pair(thread, dq[0], half,
                      [&](float a, float b, int c) { Tile::store_pair(row, c, a * root, b * root); });
    });
  }

 private:
  /// dy . y is summed up as dy . v is: where y is v, they cancel. It stands on the diagonal of dY Y^T.
  RWKV_HD void note(auto& here, const typename Tile::template Rows<1>& dy, const bf16* y, const HeadTile& at, dim_t t,
                    dim_t end, TokenNote<float> (&notes)[2]) const {
    const int thread = here.thread(), g = fragment_row(thread, 0);
    SumFragment all[1][2];
    Tile::dots(here, dy, y, all);
    unrolled<2>([&](int half) {
      // in the square of rows and columns from 8 half on, thread 4 g + g / 2 has it; the others of the row ask it
      const SumFragment& sums = all[0][half];
      const bool has = thread % 4 == g / 2;
      float along = !has ? 0 : g % 2 == 0 ? sums.at[2 * half] : sums.at[2 * half + 1];
      for (int bit = 1; bit <= 2; bit *= 2) along += here.from_lane(along, bit);
      TokenNote<float>& note = notes[half] = {};
      note.along = along;
      if (t + g + 8 * half >= end) return;
      const dim_t n = op.history.row(at.b, t + g + 8 * half, at.h) / D;
      if (has) op.along[n] = along;
      note.top = op.softmax.top(n), note.share = 1 / op.softmax.total(n);
      if constexpr (Drops::any) note.word = op.drops.template word<float>(n);
    });
  }
};

/// dk and dv of a tile of keys, of the call or of the ring, the tokens that see them a tile after the other: the square
/// has a row to a key.
template <dim_t D, class Drops>
struct AttentionTensorBackwardKeys {
  using Tile = TensorTile<D>;
  static constexpr int threads = Tile::threads, rows = 16 * Tile::warps, columns = 32;
  static constexpr int at_once = D <= 64 ? 3 : 2;
  AttentionQueryGradient<bf16, D, Drops> op;  // along is known
  Keys<bf16> dk, dv;

  dim_t tiles() const { return past_tiles() + (op.history.seq.time + rows - 1) / rows; }
  dim_t blocks() const { return tiles() * op.history.seq.batch * op.history.heads; }

  struct Moving {
    bf16 queries[2][columns * Tile::stride], dy[columns * Tile::stride];
  };
  struct Memory {
    union {
      alignas(16) bf16 keys[rows * Tile::stride];  // at first: there are registers for them, but not for values
      Moving moving;
    };
    alignas(16) bf16 values[rows * Tile::stride];
    TokenNotes<float, columns> notes[2];
  };
  static_assert(sizeof(Memory) <= Tile::most_bytes && columns <= threads);

  template <TensorBlock Here>
  RWKV_HD void operator()(Here& here) const {
    const auto& history = op.history;
    const HeadTile at = HeadTile::of(here.index(), history);
    const dim_t time = history.seq.time, before = history.before(at.b), oldest = history.first(before, 0);
    const dim_t tile = (at.tile - past_tiles()) * rows;  // of the ring or of the call, never of both
    const dim_t j = tile > oldest ? tile : oldest, end = tile + rows < time ? tile + rows : time;
    if (j >= end) return;  // nothing that was ever written
    auto& memory = here.template shared<Memory>();
    const int thread = here.thread(), mine = thread / warp * 16;

    typename Tile::template Rows<1> k;
    Tile::template bring<rows>(here, memory.keys, history, op.k, at, before, j, end);
    Tile::template bring<rows>(here, memory.values, history, op.v, at, before, j, end);
    here.finish_copies();
    here.sync();
    Tile::template read<1>(here, memory.keys + mine * Tile::stride, k);
    here.sync();

    const dim_t first = j > 0 ? j : 0, stop = history.end(end - 1);  // the tokens that see one of them
    auto& moving = memory.moving;
    auto q = token_rows(history, op.q, at, first, stop), dy = token_rows(history, op.dy, at, first, stop);
    Tile::template bring<columns>(here, moving.queries[0], q);
    Tile::template bring<columns>(here, moving.dy, dy);
    if (thread < columns) memory.notes[0].of[thread] = known_note<float, D, Drops>(op, at, first + thread, stop);

    typename Tile::template Sums<1> dk_j, dv_j;
    Tile::clear(dk_j), Tile::clear(dv_j);
    const float scale = query_scale<float>(D);
    bool side = false;
    for (dim_t t = first; t < stop; t += columns, side = !side) {
      here.finish_copies();
      here.sync();  // queries, dy and notes are there, the queries before have been read
      const bool more = t + columns < stop;
      q.skip(columns), dy.skip(columns);
      if (more) Tile::template bring<columns>(here, moving.queries[!side], q);
      if (thread < columns)
        memory.notes[!side].of[thread] = known_note<float, D, Drops>(op, at, t + columns + thread, stop);
      const SquareSight<-1> sight(t - j - mine, history.window, 16, columns);
      SumFragment p[1][columns / 8], ds[1][columns / 8];
      if (sight.any) {
        Tile::dots(here, k, moving.queries[side], p);
        const bf16* const values = memory.values + mine * Tile::stride;
        Tile::dots(
            here, [&](int, int step) { return read_left(here, values + step * 16, Tile::stride); }, moving.dy, ds);
        Tile::each(p, [&](int s, int n, int i) {
          const int row = fragment_row(thread, i), column = 8 * n + fragment_column(thread, i);
          const TokenNote<float>& of = memory.notes[side].of[column];
          float &p_n = p[s][n].at[i], &ds_n = ds[s][n].at[i];
          p_n = weight_of(rounded_product(p_n, scale) - of.top) * of.share;
          if constexpr (Drops::any) {
            const float kept = Drops::template factor<float>(of.word, detail::columns<float>(j + mine + row));
            ds_n = p_n * (ds_n * kept - of.along), p_n *= kept;
          } else {
            ds_n = p_n * (ds_n - of.along);
          }
        });
        if (sight.cut)
          Tile::each(p, [&](int s, int n, int i) {
            if (!sight.sees(fragment_row(thread, i), 8 * n + fragment_column(thread, i)))
              p[s][n].at[i] = ds[s][n].at[i] = 0;
          });
        Tile::add(here, p, moving.dy, dv_j);
      }
      here.sync();  // dy has been read
      if (more) Tile::template bring<columns>(here, moving.dy, dy);
      if (sight.any) Tile::add(here, ds, moving.queries[side], dk_j);
    }
    const float root = 1 / math::sqrt(float(D));
    unrolled<2>([&](int half) {
      const dim_t row = j + mine + fragment_row(thread, 2 * half);
      if (row >= end) return;
      write(dk, at, before, row, thread, dk_j[0], half, root);
      write(dv, at, before, row, thread, dv_j[0], half, 1);
    });
  }

 private:
  RWKV_HD dim_t past_tiles() const { return op.history.position ? (op.history.window - 1 + rows - 1) / rows : 0; }
  /// The gradient of key `row`: into the call's, or added to the ring's.
  RWKV_HD void write(const Keys<bf16>& to, const HeadTile& at, dim_t before, dim_t row, int thread,
                     const SumFragment (&sums)[2 * Tile::steps], int half, float scale) const {
    const auto& history = op.history;
    bf16* const now = to.now + history.row(at.b, row, at.h);
    float* const cached = row < 0 ? to.cached + history.ring(at.b, before + row, at.h) : nullptr;
    Tile::each_pair(thread, sums, half, [&](float a, float b, int c) {
      if (!cached) return Tile::store_pair(now, c, a * scale, b * scale);
      cached[c] += a * scale;
      if (c + 1 < D) cached[c + 1] += b * scale;
    });
  }
};

}  // namespace rwkv::detail::grid
