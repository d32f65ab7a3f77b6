#pragma once
#include <utility>

#include <rwkv/core/lanes.hpp>

namespace rwkv::detail {

template <int half, class L, int... l>
[[gnu::always_inline]] inline void swap_lanes(L& x, L& y, std::integer_sequence<int, l...>) {
  constexpr int W = width_of<L>;
  const L upper = shuffle<(l & half ? W + l - half : l)...>(x, y);
  y = shuffle<(l & half ? W + l : l + half)...>(x, y);
  x = upper;
}
/// Transposes as many rows as a row has lanes: exchanges the two quarters off the diagonal, then those of every
/// quarter, down to numbers.
template <class L, int half = width_of<L> / 2>
[[gnu::always_inline]] inline void transpose(L (&block)[width_of<L>]) {
#pragma GCC unroll 16
  for (int r = 0; r < width_of<L>; ++r)
    if (!(r & half)) swap_lanes<half>(block[r], block[r + half], std::make_integer_sequence<int, width_of<L>>{});
  if constexpr (half > 1) transpose<L, half / 2>(block);
}

}  // namespace rwkv::detail
