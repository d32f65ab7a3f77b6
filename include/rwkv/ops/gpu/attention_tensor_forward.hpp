#pragma once
#include <rwkv/ops/gpu/attention_tensor_tile.hpp>

namespace rwkv::detail::grid {

/// AttentionForward on tensor cores: a tile of tokens of one head, before all the keys that they see, a tile of them
/// after the other. S is multiplied by log2 e / sqrt(D) where it is a float.
///
///   S = Q K^T,   top' = max(top, S),   P = 2^{S - top'}
///   total = 2^{top - top'} total + sum_j P_j,   Y = 2^{top - top'} Y + P V
///
/// At the end Y is divided by total. What gathers before a token sees its first key is multiplied by 0 there. The
/// values are under way while scores are made, the next keys while Y is.
template <dim_t D, class Drops>
struct AttentionTensorForward {
  using Tile = TensorTile<D>;
  static constexpr int strips = D <= 64 ? 2 : 1;  // of a warp: what fits into registers
  static constexpr int threads = Tile::threads, of_warp = 16 * strips, rows = of_warp * Tile::warps, columns = 64;
  AttentionRow<bf16, D, Drops> op;

  dim_t tiles() const { return (op.history.seq.time + rows - 1) / rows; }
  dim_t blocks() const { return tiles() * op.history.seq.batch * op.history.heads; }

  struct Memory {
    alignas(16) bf16 tiles[2 * columns * Tile::stride];  // of keys and values; before, of queries
  };
  static_assert(sizeof(Memory) <= Tile::most_bytes && rows <= 2 * columns);
  static constexpr float nothing = std::numeric_limits<float>::lowest();  // the score of a key that is not seen

  template <TensorBlock Here>
  RWKV_HD void operator()(Here& here) const {
    auto& memory = here.template shared<Memory>();
    bf16 *const k = memory.tiles, *const v = k + columns * Tile::stride;
    const int thread = here.thread(), mine = thread / warp * of_warp;
    const auto& history = op.history;
    const HeadTile at = HeadTile::of(here.index(), history);
    const dim_t time = history.seq.time, before = history.before(at.b);
    const dim_t t = ((time - 1) / rows - at.tile) * rows;  // those that see the most begin first
    const dim_t end = t + rows < time ? t + rows : time, first = history.first(before, t);
    const auto token = [&](int s, int half) { return t + mine + 16 * s + fragment_row(thread, 2 * half); };

    typename Tile::template Rows<strips> q;
    Tile::template bring<rows>(here, memory.tiles, token_rows(history, op.q, at, t, end));
    here.finish_copies();
    here.sync();
    Tile::template read<strips>(here, memory.tiles + mine * Tile::stride, q);
    here.sync();
    Tile::template bring<columns>(here, k, history, op.k, at, before, first, end);

    [[maybe_unused]] RandomWord<float> word[strips][2];
    float top[strips][2], total[strips][2];
    typename Tile::template Sums<strips> y;
    Tile::clear(y);
    unrolled<strips>([&](int s) {
      unrolled<2>([&](int half) {
        top[s][half] = nothing, total[s][half] = 0;
        if constexpr (Drops::any)
          word[s][half] = op.drops.template word<float>(history.row(at.b, token(s, half), at.h) / D);
      });
    });
    const float scale = query_scale<float>(D);
    for (dim_t j = first; j < end; j += columns) {
      here.finish_copies();
      here.sync();  // the keys are there, the values before have been read
      Tile::template bring<columns>(here, v, history, op.v, at, before, j, end);
      const SquareSight<1> sight(t + mine - j, history.window, of_warp, columns);
      SumFragment square[strips][columns / 8];
      if (sight.any) {
        Tile::dots(here, q, k, square);
        Tile::each(square,
                   [&](int s, int n, int i) { square[s][n].at[i] = rounded_product(square[s][n].at[i], scale); });
        if (sight.cut)
          Tile::each(square, [&](int s, int n, int i) {
            if (!sight.sees(16 * s + fragment_row(thread, i), 8 * n + fragment_column(thread, i)))
              square[s][n].at[i] = nothing;
          });
        unrolled<strips>([&](int s) {
          unrolled<2>([&](int half) {
            float higher = top[s][half];
            unrolled<columns / 8>([&](int n) {
              higher = larger(larger(higher, square[s][n].at[2 * half]), square[s][n].at[2 * half + 1]);
            });
            for (int bit = 1; bit <= 2; bit *= 2) higher = larger(higher, here.from_lane(higher, bit));
            const float old = weight_of(top[s][half] - higher);
            top[s][half] = higher, total[s][half] *= old;
            unrolled<2 * Tile::steps>([&](int n) { y[s][n].at[2 * half] *= old, y[s][n].at[2 * half + 1] *= old; });
            unrolled<columns / 8>([&](int n) {
              unrolled<2>([&](int e) {
                float& x = square[s][n].at[2 * half + e];
                x = weight_of(x - higher);
                total[s][half] += x;
                if constexpr (Drops::any)
                  x *= Drops::template factor<float>(word[s][half],
                                                     detail::columns<float>(j + 8 * n + fragment_column(thread, e)));
              });
            });
          });
        });
      }
      here.finish_copies();
      here.sync();  // the values are there, the keys have been read
      if (j + columns < end) Tile::template bring<columns>(here, k, history, op.k, at, before, j + columns, end);
      if (sight.any) Tile::add(here, square, v, y);
    }
    unrolled<strips>([&](int s) {
      unrolled<2>([&](int half) {
        float sum = total[s][half];
        for (int bit = 1; bit <= 2; bit *= 2) sum += here.from_lane(sum, bit);
        if (token(s, half) >= end) return;
        const dim_t row = history.row(at.b, token(s, half), at.h), n = row / D;
        const float share = 1 / sum;
        Tile::each_pair(thread, y[s], half,
                        [&](float a, float b, int c) { Tile::store_pair(op.y + row, c, a * share, b * share); });
        if (thread % 4 == 0) op.softmax.top(n) = top[s][half], op.softmax.total(n) = sum;
      });
    });
  }
};

}  // namespace rwkv::detail::grid
