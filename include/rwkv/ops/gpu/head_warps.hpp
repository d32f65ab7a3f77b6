#pragma once
#include <rwkv/core/math.hpp>
#include <rwkv/ops/gpu/moving_tile.hpp>

// What is done with every head of every token by itself, a warp to a head: neighbours read neighbouring channels. In
// float, bytes a token and channel: WKV-7's operands 52 forwards and 76 backwards, its output 24 and 32, the bonus
// backwards 40. On an H100 (3.35 TB/s) that is at least 12 and 17, 5.5 and 7.3, and 9.2 ns a token of 768 channels.
//
// Registers of a thread: 40 at the most, with sums over tokens 122, which 16 warps of a multiprocessor have room for.
namespace rwkv::detail::grid {

/// A row of C channels over the threads of a warp, as Row is one over packs.
template <class T, dim_t C, Block Here>
struct WarpRow {
  using Number = compute_of<T>;
  static constexpr int count = static_cast<int>((C + warp - 1) / warp);
  /// The j-th channel of a thread.
  struct Channel {
    dim_t c;
    int j;
    RWKV_HD operator dim_t() const { return c; }
  };
  Here& here;

  template <class F>
  RWKV_HD void each(const F& f) const {
    unrolled<count>([&](int j) {
      if (const dim_t c = here.thread() % warp + j * warp; C % warp == 0 || c < C) f(Channel{c, j});
    });
  }
  template <class F>
  RWKV_HD Number sum(const F& f) const {
    Number total = 0;
    each([&](Channel c) { total += f(c); });
    return reduce_warp(here, total, Plus{});
  }
};

template <class T, dim_t Size, class Kernel>
struct HeadWarps {
  static constexpr int threads = 128, warps = threads / warp;
  dim_t rows;
  Kernel kernel;

  dim_t blocks() const { return (rows + warps - 1) / warps; }
  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const dim_t row = here.index() * warps + here.thread() / warp;
    if (row < rows) kernel(WarpRow<T, Size, Here>{here}, row);
  }
};

/// One head of some tokens in a row to a block, and what they add to the sums: shares (parts, sums, H Size).
template <class T, int H, dim_t Size, int sums, class Kernel>
struct SummedHeadWarps {
  static constexpr int threads = warp;
  static constexpr dim_t part = 16;
  using Number = compute_of<T>;
  dim_t tokens;
  Kernel kernel;
  Number* shares;

  dim_t parts() const { return (tokens + part - 1) / part; }
  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    using Row = WarpRow<T, Size, Here>;
    const Row across{here};
    const dim_t first = here.index() / H * part, h = here.index() % H, end = math::min(tokens, first + part);
    Number total[sums][Row::count]{};
    for (dim_t t = first; t < end; ++t)
      kernel(across, t * H + h, [&](int s, typename Row::Channel c, Number x) { total[s][c.j] += x; });
    Number* const share = shares + here.index() / H * (sums * H * Size) + h * Size;
    across.each(
        [&](typename Row::Channel c) { unrolled<sums>([&](int s) { share[s * H * Size + c] = total[s][c.j]; }); });
  }
};

}  // namespace rwkv::detail::grid
