#pragma once
#include <utility>

#include <rwkv/core/lanes.hpp>

namespace rwkv::detail {

/// Halves of every run of `run` lanes of x, then of y, added: what reduce_lanes does in one step, to two packs at once.
template <int run, class L, int... l>
[[gnu::always_inline]] inline L fold_runs(L x, L y, std::integer_sequence<int, l...>) {
  constexpr int half = run / 2;
  return shuffle<(l / half * run + l % half)...>(x, y) + shuffle<(l / half * run + l % half + half)...>(x, y);
}
/// Lane i of the result is reduce_lanes of block[i] with +, to the bit, at a fraction of the cost of one after the
/// other. The block is used up.
template <class L, int run = width_of<L>>
[[gnu::always_inline]] inline L sums_of_each(L (&block)[width_of<L>]) {
  if constexpr (run == 1) {
    return block[0];
  } else {
#pragma GCC unroll 8
    for (int i = 0; i < run / 2; ++i)
      block[i] = fold_runs<run>(block[2 * i], block[2 * i + 1], std::make_integer_sequence<int, width_of<L>>{});
    return sums_of_each<L, run / 2>(block);
  }
}

}  // namespace rwkv::detail
