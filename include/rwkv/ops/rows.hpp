#pragma once
#include <rwkv/core/math.hpp>

namespace rwkv {

/// How a kernel looks at a row of C channels: every element, in packs; sums and maxima, always in the same order.
template <class T, dim_t C>
struct Row {
  using Number = compute_of<T>;
  static constexpr int W = native_width<T>;
  static constexpr dim_t packed = C / W * W, fours = C / (4 * W) * (4 * W);

  /// f(c) for every column.
  template <class F>
  static RWKV_HD void each(const F& f) {
    for (dim_t c = 0; c < packed; c += W) f(Lanes<W>{c});
    if constexpr (packed < C)
      for (dim_t c = packed; c < C; ++c) f(c);
  }

  /// f(c) for every column, joined from `first` on; four chains hide the latency of a join.
  template <class F, class Combine>
  static RWKV_HD Number reduce(Number first, const F& f, const Combine& combine) {
    const auto start = broadcast<Pack<Number, W>>(first);
    auto s0 = start, s1 = start, s2 = start, s3 = start;
    for (dim_t c = 0; c < fours; c += 4 * W) {
      s0 = combine(s0, f(Lanes<W>{c})), s1 = combine(s1, f(Lanes<W>{c + W}));
      s2 = combine(s2, f(Lanes<W>{c + 2 * W})), s3 = combine(s3, f(Lanes<W>{c + 3 * W}));
    }
    if constexpr (fours < packed)
      for (dim_t c = fours; c < packed; c += W) s0 = combine(s0, f(Lanes<W>{c}));
    Number all = reduce_lanes(combine(combine(s0, s1), combine(s2, s3)), combine);
    if constexpr (packed < C)
      for (dim_t c = packed; c < C; ++c) all = combine(all, f(c));
    return all;
  }
  template <class F>
  static RWKV_HD Number sum(const F& f) {
    return reduce(Number(0), f, [](auto a, auto b) { return a + b; });
  }
  template <class F>
  static RWKV_HD Number max(const F& f) {
    return reduce(std::numeric_limits<Number>::lowest(), f, [](auto a, auto b) { return math::max(a, b); });
  }
};

}  // namespace rwkv
