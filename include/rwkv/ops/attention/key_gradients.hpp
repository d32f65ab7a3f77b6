#pragma once
#include <rwkv/ops/attention/backward_tokens.hpp>

namespace rwkv::detail {

/// Where a task adds its dk and dv: rows of D numbers, `row` apart; the first is that of a block's first key.
template <class T, dim_t D>
struct KeyGradients {
  using Memory = BackwardTokens<T, D>;
  using Lane = typename Memory::Lane;
  using L = typename Memory::L;
  static constexpr int W = Memory::W, wide = Memory::wide, tall = Memory::tall;
  static constexpr dim_t panels = Memory::panels, tokens = Memory::tokens, keys = Memory::keys, padded = Memory::padded;

  T *dk, *dv;
  dim_t row;

  /// dV += (M P)^T dY and dK += dS^T Q / sqrt(D) of `count` keys, from the weights that each panel computed.
  void add(const Memory& memory, dim_t count, const KeyBlock (&computed)[panels]) const {
    dim_t from[(keys + tall - 1) / tall], depth[(keys + tall - 1) / tall];
    for (dim_t j = 0; j < count; j += tall) {
      const auto has = [&](dim_t p) { return computed[p].first <= j && j < computed[p].end(); };
      dim_t p = 0, end = panels;
      while (p < end && !has(p)) ++p;
      while (end > p && !has(end - 1)) --end;
      from[j / tall] = p * wide, depth[j / tall] = (end - p) * wide;
    }
    constexpr dim_t columns = padded / (Lane::packs * W) * (Lane::packs * W);
    const auto some_columns = [&]<int across>(dim_t c) {
      Lane::template rows<tall>(count, [&]<int n>(dim_t j) {
        const dim_t l = from[j / tall], steps = depth[j / tall], at = j * tokens + l;
        constexpr dim_t width = across * W;
        if (D - c >= width) {
          add_tile<n, across>(steps, memory.weights + at, memory.dy + l * padded + c, dv + j * row + c, row);
          add_tile<n, across>(steps, memory.dscores + at, memory.q + l * padded + c, dk + j * row + c, row);
        } else {
          alignas(64) T whole[2][tall * width]{};
          add_tile<n, across>(steps, memory.weights + at, memory.dy + l * padded + c, whole[0], width);
          add_tile<n, across>(steps, memory.dscores + at, memory.q + l * padded + c, whole[1], width);
          for (dim_t r = 0; r < n; ++r)
            for (dim_t i = c; i < D; ++i) {
              dv[(j + r) * row + i] += whole[0][r * width + i - c];
              dk[(j + r) * row + i] += whole[1][r * width + i - c];
            }
        }
      });
    };
    for (dim_t c = 0; c < columns; c += Lane::packs * W) some_columns.template operator()<Lane::packs>(c);
    for (dim_t c = columns; c < padded; c += W) some_columns.template operator()<1>(c);
  }

 private:
  template <int some, int across>
  [[gnu::noinline]] static void add_tile(dim_t depth, const T* a, const T* b, T* to, dim_t row) {
    L total[some][across];
#pragma GCC unroll 16
    for (int r = 0; r < some; ++r) prefetch(to, Lanes<W>{r * row});
    Lane::multiply(depth, a, tokens, 1, b, padded, total);
#pragma GCC unroll 16
    for (int r = 0; r < some; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < across; ++s) {
        const Lanes<W> at{s * W};
        store(to + r * row, at, load(to + r * row, at) + total[r][s]);
      }
  }
};

}  // namespace rwkv::detail
