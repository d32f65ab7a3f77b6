#pragma once
#include <rwkv/ops/gpu/head_tile.hpp>
#include <rwkv/ops/wkv7/signals.hpp>

// WKV-7 token after token, all columns of a head's state in the registers of a block.
namespace rwkv::wkv7 {

/// Forward: a block to a head.
template <class B, dim_t H, dim_t Size>
struct GridForward {
  using Number = typename Accum<B>::scalar;
  using Tile = rwkv::detail::grid::ColumnTile<Number, Size>;
  static constexpr int threads = Tile::threads;
  using Rows = rwkv::detail::grid::TokenRows<Number, Size, threads, 6>;
  Signals<B, H, Size> in;
  Tensor<B, Batch, Time, H * Size> y;
  State<B, H, Size> state;
  Kept<B, H, Size> kept;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    using rwkv::detail::grid::unrolled;
    const dim_t head = here.index(), x0 = in.at(head, 0);
    Tile z(here.thread());
    z.read(state.data + head * Size * Size);
    const auto read = [&](dim_t t, dim_t c) -> typename Rows::Values {
      const dim_t x = x0 + t * (H * Size) + c;
      return {load(in.w.data, x), load(in.a.data, x), load(in.b.data, x),
              load(in.k.data, x), load(in.r.data, x), load(in.v.data, x)};
    };
    const auto begin = [&](dim_t t) {
      if (kept.starts.data && t % span == 0) z.write(kept.starts.data + in.start(head, t / span));
    };
    Rows{here.thread()}.template each<false>(here, in.seq().time, read, begin, [&](const auto& row, dim_t t) {
      const dim_t x = x0 + t * (H * Size);
      Number sa[4]{}, y_t[4]{};
      unrolled<Tile::fours>([&](int i) {
        const auto a = row(1, z.row(i));
        unrolled<4>([&](int k) { unrolled<4>([&](int c) { sa[c] += a.at[k] * z.at[i][k][c]; }); });
      });
      const auto v = row(5, z.column);
      unrolled<Tile::fours>([&](int i) {  // while what is recalled is summed up
        const auto fade = row(0, z.row(i)), key = row(3, z.row(i));
        unrolled<4>([&](int k) {
          unrolled<4>([&](int c) { z.at[i][k][c] = fade.at[k] * z.at[i][k][c] + key.at[k] * v.at[c]; });
        });
      });
      rwkv::detail::grid::sum_lanes<Tile::lanes>(here, sa);
      unrolled<Tile::fours>([&](int i) {
        const auto b = row(2, z.row(i)), r = row(4, z.row(i));
        unrolled<4>([&](int k) {
          unrolled<4>([&](int c) { z.at[i][k][c] += b.at[k] * sa[c], y_t[c] += r.at[k] * z.at[i][k][c]; });
        });
      });
      z.write_sums(here, y_t, y.data + x);
      if (kept.recalled.data && z.inside && z.lane == 0)
        rwkv::detail::grid::Four<Number>{sa[0], sa[1], sa[2], sa[3]}.write(kept.recalled.data + x + z.column);
    });
    z.write(state.data + head * Size * Size);
  }
};

/// Writes dv, and the gradients of what was recalled. A block to a head.
template <class B, dim_t H, dim_t Size>
struct GridColumns {
  using Number = typename Accum<B>::scalar;
  using Tile = rwkv::detail::grid::ColumnTile<Number, Size>;
  static constexpr int threads = Tile::threads;
  using Rows = rwkv::detail::grid::TokenRows<Number, Size, threads, 6>;
  Signals<B, H, Size> in;
  Tensor<B, Batch, Time, H * Size> dy, dv;
  State<B, H, Size> dstate;  // of the last state
  Number* drecalled;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    using rwkv::detail::grid::unrolled;
    const dim_t head = here.index(), x0 = in.at(head, 0);
    Tile d(here.thread());
    d.read(dstate.data + head * Size * Size);
    const auto read = [&](dim_t t, dim_t c) -> typename Rows::Values {
      const dim_t x = x0 + t * (H * Size) + c;
      return {load(in.w.data, x), load(in.a.data, x), load(in.b.data, x),
              load(in.k.data, x), load(in.r.data, x), load(dy.data, x)};
    };
    const auto begin = [](dim_t) {};
    Rows{here.thread()}.template each<true>(here, in.seq().time, read, begin, [&](const auto& row, dim_t t) {
      const dim_t x = x0 + t * (H * Size);
      const auto dy_t = row(5, d.column);
      Number dv_t[4]{}, dsa[4]{};
      unrolled<Tile::fours>([&](int i) {
        const auto b = row(2, d.row(i)), key = row(3, d.row(i)), r = row(4, d.row(i));
        unrolled<4>([&](int k) {
          unrolled<4>([&](int c) {
            auto& all = d.at[i][k][c];
            all += r.at[k] * dy_t.at[c];
            dsa[c] += b.at[k] * all, dv_t[c] += key.at[k] * all;
          });
        });
      });
      rwkv::detail::grid::sum_lanes<Tile::lanes>(here, dsa);
      unrolled<Tile::fours>([&](int i) {
        const auto fade = row(0, d.row(i)), a = row(1, d.row(i));
        unrolled<4>(
            [&](int k) { unrolled<4>([&](int c) { d.at[i][k][c] = fade.at[k] * d.at[i][k][c] + a.at[k] * dsa[c]; }); });
      });
      d.write_sums(here, dv_t, dv.data + x);
      if (d.inside && d.lane == 0)
        rwkv::detail::grid::Four<Number>{dsa[0], dsa[1], dsa[2], dsa[3]}.write(drecalled + x + d.column);
    });
  }
};

}  // namespace rwkv::wkv7
