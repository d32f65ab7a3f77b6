#pragma once
#include <array>

#include <rwkv/ops/gpu/head_warps.hpp>
#include <rwkv/ops/gpu/sum_rows.hpp>
#include <rwkv/ops/reduce.hpp>
#include <rwkv/ops/rows.hpp>

// What is done with every head of every token by itself. A kernel goes through the channels of a head by across.each
// and across.sum: in packs, or, on machines that launch blocks, over the threads of a warp.
namespace rwkv {
namespace detail {

template <class T, dim_t Size, class Kernel>
struct HeadPacks {
  Kernel kernel;
  RWKV_HD void operator()(dim_t row) const { kernel(Row<T, Size>{}, row); }
};
/// Of a block of tokens; its share of the sums, (blocks, sums, H Size).
template <class T, int H, dim_t Size, int sums, class Kernel>
struct SummedHeadPacks {
  using Number = compute_of<T>;
  static constexpr dim_t block = 64, C = H * Size;
  dim_t tokens;
  Kernel kernel;
  Number* shares;

  RWKV_HD void operator()(dim_t n) const {
    Number* const share = shares + n * sums * C;
    Row<Number, sums * C>::each([&](auto c) { store(share, c, At<Number, decltype(c)>{}); });
    for (dim_t row = n * block * H, end = math::min(tokens, (n + 1) * block) * H; row < end; ++row)
      kernel(Row<T, Size>{}, row, [&](int s, auto c, auto x) {
        const auto i = s * C + row % H * Size + c;
        store(share, i, load(share, i) + x);
      });
  }
};

}  // namespace detail

/// kernel(across, row) for every head of every token, in any order; row = token H + head.
template <class B, int H, dim_t Size, class Kernel>
void for_each_head(dim_t tokens, const Kernel& kernel) {
  using T = typename B::scalar;
  if constexpr (Grid<B>) {
    const detail::grid::HeadWarps<T, Size, Kernel> warps{tokens * H, kernel};
    B::launch(warps.blocks(), warps);
  } else {
    B::for_each_row(tokens * H, detail::HeadPacks<T, Size, Kernel>{kernel});
  }
}

/// kernel(across, row, add) for the same; what it adds up over the tokens by add(s, channel, x) is added to `sums[s]`,
/// (H Size), in an order that the shape alone decides.
template <class B, int H, dim_t Size, class Kernel, std::size_t count>
void for_each_head(Scratch<B>& scratch, dim_t tokens, const Kernel& kernel,
                   std::array<compute_of<typename B::scalar>*, count> sums) {
  using T = typename B::scalar;
  constexpr dim_t C = H * Size;
  const auto frame = scratch.frame();
  if constexpr (Grid<B>) {
    detail::grid::SummedHeadWarps<T, H, Size, int(count), Kernel> warps{tokens, kernel, nullptr};
    const dim_t parts = warps.parts();
    warps.shares = scratch.accum(parts * dim_t(count) * C);
    B::launch(parts * H, warps);
    detail::grid::sum_rows<B>(scratch, parts, C, warps.shares, sums);
  } else {
    using Packs = detail::SummedHeadPacks<T, H, Size, int(count), Kernel>;
    const dim_t blocks = (tokens + Packs::block - 1) / Packs::block;
    auto* const shares = scratch.accum(blocks * dim_t(count) * C);
    B::for_each_row(blocks, Packs{tokens, kernel, shares});
    for (std::size_t s = 0; s < count; ++s) add_rows<B>(blocks, C, dim_t(count) * C, shares + dim_t(s) * C, sums[s]);
  }
}

}  // namespace rwkv
