#pragma once
#include <rwkv/ops/gpu/head_tile.hpp>
#include <rwkv/ops/wkv6/signals.hpp>

// WKV-5 and 6 token after token, all columns of a head's state in the registers of a block.
namespace rwkv::wkv6 {

/// The bonuses of a thread's rows.
template <class Tile, class Number>
struct Bonuses {
  Number at[Tile::fours][4];
  template <class T>
  RWKV_HD Bonuses(const Tile& tile, const T* u) {
    Tile::each_row([&](int i, int k) { at[i][k] = load(u, tile.row(i) + k); });
  }
  /// The thread's part of sum r u k, of rows of a token.
  template <class Row>
  [[gnu::always_inline]] RWKV_HD Number part(const Row& r, const Row& key, int i) const {
    Number sum = 0;
    rwkv::detail::grid::unrolled<4>([&](int k) { sum += r.at[k] * at[i][k] * key.at[k]; });
    return sum;
  }
};

/// Forward: a block to a head.
template <class B, dim_t H, dim_t Size, class In>
struct GridForward {
  using Number = typename Accum<B>::scalar;
  using Tile = rwkv::detail::grid::ColumnTile<Number, Size>;
  static constexpr int threads = Tile::threads;
  using Rows = rwkv::detail::grid::TokenRows<Number, Size, threads, 4>;
  In in;
  Tensor<B, Batch, Time, H * Size> y;
  State<B, H, Size> state;
  Starts<B, H, Size> starts;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    using rwkv::detail::grid::unrolled;
    const dim_t head = here.index(), x0 = in.at(head, 0), d0 = in.decay(head, 0), step = In::still ? 0 : H * Size;
    Tile z(here.thread());
    z.read(state.data + head * Size * Size);
    const Bonuses<Tile, Number> u(z, in.u.data + in.parameter(head));
    const auto read = [&](dim_t t, dim_t c) -> typename Rows::Values {
      const dim_t x = x0 + t * (H * Size) + c;
      return {load(in.w.data, d0 + t * step + c), load(in.r.data, x), load(in.k.data, x), load(in.v.data, x)};
    };
    const auto begin = [&](dim_t t) {
      if (starts.data && t % span == 0) z.write(starts.data + in.start(head, t / span));
    };
    Rows{here.thread()}.template each<false>(here, in.seq().time, read, begin, [&](const auto& row, dim_t t) {
      const auto v = row(3, z.column);
      Number y_t[4]{}, own = 0;
      unrolled<Tile::fours>([&](int i) {
        const auto fade = row(0, z.row(i)), r = row(1, z.row(i)), key = row(2, z.row(i));
        own += u.part(r, key, i);
        unrolled<4>([&](int k) {
          unrolled<4>([&](int c) {
            y_t[c] += r.at[k] * z.at[i][k][c];
            z.at[i][k][c] = fade.at[k] * z.at[i][k][c] + key.at[k] * v.at[c];
          });
        });
      });
      unrolled<4>([&](int c) { y_t[c] += own * v.at[c]; });
      z.write_sums(here, y_t, y.data + x0 + t * (H * Size));
    });
    z.write(state.data + head * Size * Size);
  }
};

/// Writes dv. A block to a head.
template <class B, dim_t H, dim_t Size, class In>
struct GridColumns {
  using Number = typename Accum<B>::scalar;
  using Tile = rwkv::detail::grid::ColumnTile<Number, Size>;
  static constexpr int threads = Tile::threads;
  using Rows = rwkv::detail::grid::TokenRows<Number, Size, threads, 4>;
  In in;
  Tensor<B, Batch, Time, H * Size> dy, dv;
  State<B, H, Size> dstate;  // of the last state

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    using rwkv::detail::grid::unrolled;
    const dim_t head = here.index(), x0 = in.at(head, 0), d0 = in.decay(head, 0), step = In::still ? 0 : H * Size;
    Tile d(here.thread());
    d.read(dstate.data + head * Size * Size);
    const Bonuses<Tile, Number> u(d, in.u.data + in.parameter(head));
    const auto read = [&](dim_t t, dim_t c) -> typename Rows::Values {
      const dim_t x = x0 + t * (H * Size) + c;
      return {load(in.w.data, d0 + t * step + c), load(in.r.data, x), load(in.k.data, x), load(dy.data, x)};
    };
    const auto begin = [](dim_t) {};
    Rows{here.thread()}.template each<true>(here, in.seq().time, read, begin, [&](const auto& row, dim_t t) {
      const auto dy_t = row(3, d.column);
      Number dv_t[4]{}, own = 0;
      unrolled<Tile::fours>([&](int i) {
        const auto fade = row(0, d.row(i)), r = row(1, d.row(i)), key = row(2, d.row(i));
        own += u.part(r, key, i);
        unrolled<4>([&](int k) {
          unrolled<4>([&](int c) {
            dv_t[c] += key.at[k] * d.at[i][k][c];
            d.at[i][k][c] = fade.at[k] * d.at[i][k][c] + r.at[k] * dy_t.at[c];
          });
        });
      });
      unrolled<4>([&](int c) { dv_t[c] += own * dy_t.at[c]; });
      d.write_sums(here, dv_t, dv.data + x0 + t * (H * Size));
    });
  }
};

}  // namespace rwkv::wkv6
