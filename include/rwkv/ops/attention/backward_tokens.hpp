#pragma once
#include <algorithm>

#include <rwkv/ops/attention/panel.hpp>
#include <rwkv/ops/attention/reference.hpp>

namespace rwkv::detail {

/// Memory of a block of tokens of one head in the backward pass: what they bring along, as rows and as lanes, and what
/// a block of keys makes of it. dy is divided by the softmax's denominator, so that P may be weights over it.
template <class T, dim_t D>
struct BackwardTokens {
  using Lane = Tile<T>;
  using L = typename Lane::L;
  static constexpr int W = Lane::W, wide = Lane::wide, tall = Lane::tall;
  static constexpr dim_t panels = 6, tokens = panels * wide, keys = 96;
  static constexpr dim_t padded = (D + W - 1) / W * W, lanes = tokens * D, square = keys * tokens;
  static constexpr dim_t size = 3 * lanes + 2 * tokens * padded + 2 * square + 2 * tokens + 2 * keys * D;

  T *q_lanes, *dy_lanes, *dq_lanes;  // (panels, D, wide): q times query_scale, dy, and dq times sqrt(D)
  T *weights, *dscores;              // (keys, tokens): P, then M P; dS
  T *q, *dy;                         // (tokens, padded): q / sqrt(D) and dy
  T *top, *along;                    // (tokens): the largest score; dy . y
  T *k, *v;                          // (keys, D)

  explicit BackwardTokens(T* p)
      : q_lanes(p),
        dy_lanes(q_lanes + lanes),
        dq_lanes(dy_lanes + lanes),
        weights(dq_lanes + lanes),
        dscores(weights + square),
        q(dscores + square),
        dy(q + tokens * padded),
        top(dy + tokens * padded),
        along(top + tokens),
        k(along + tokens),
        v(k + keys * D) {}

  /// Of `count` tokens, their rows `row` apart from scalar `start` on.
  void gather(const auto& op, dim_t start, dim_t count, dim_t row) const {
    using Head = HeadRow<T, D>;
    if (count < tokens || padded > D) {
      std::fill_n(q_lanes, 2 * lanes, T(0));
      std::fill_n(q, 2 * tokens * padded, T(0));
      std::fill_n(top, 2 * tokens, T(0));
    }
    const T scale = T(1) / math::sqrt(T(D));
    for (dim_t l = 0; l < count; ++l) {
      const dim_t i = start + l * row, n = i / D;
      const T share = T(1) / op.softmax.total(n);
      top[l] = op.softmax.top(n);
      Head::each([&](auto c) {
        store(q + l * padded, c, load(op.q + i, c) * scale);
        store(dy + l * padded, c, load(op.dy + i, c) * share);
      });
    }
    T* const y_lanes = dq_lanes;  // for a while
    std::fill_n(y_lanes, lanes, T(0));
    for (dim_t p = 0; p * wide < count; ++p) {
      const dim_t some = std::min<dim_t>(wide, count - p * wide), i = start + p * wide * row, to = p * D * wide;
      Lane::transpose(some, D, op.q + i, row, q_lanes + to, wide, query_scale<T>(D));
      Lane::transpose(some, D, dy + p * wide * padded, padded, dy_lanes + to, wide, T(1));
      Lane::transpose(some, D, op.y + i, row, y_lanes + to, wide, T(1));
      for (int s = 0; s < wide; s += W) {  // summed up as dy . v is: where y is v, they cancel
        L total{};
        for (dim_t c = to; c < to + D * wide; c += wide)
          total += load(y_lanes, Lanes<W>{c + s}) * load(dy_lanes, Lanes<W>{c + s});
        store(along + p * wide, Lanes<W>{s}, total);
      }
    }
    std::fill_n(dq_lanes, lanes, T(0));
  }
};

}  // namespace rwkv::detail
