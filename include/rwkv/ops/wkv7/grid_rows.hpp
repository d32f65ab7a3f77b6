#pragma once
#include <rwkv/ops/gpu/head_rows.hpp>
#include <rwkv/ops/wkv7/signals.hpp>

namespace rwkv::wkv7 {

/// Backward, given what was recalled and its gradients: some rows of a head's state to a block. Writes the gradients of
/// all but v, and that of the first state.
template <class B, dim_t H, dim_t Size>
struct GridRows {
  using Number = typename Accum<B>::scalar;
  using T = typename B::scalar;
  using Time = rwkv::detail::grid::BackInTime<Number, Size, 4, 5, 2, 3>;
  using Tile = typename Time::Tile;
  static constexpr int threads = Tile::threads, lanes = Tile::lanes;
  Signals<B, H, Size> in, d;
  Kept<B, H, Size> kept;
  Tensor<B, Batch, rwkv::Time, H * Size> dy;
  State<B, H, Size> dstate;
  const Number* drecalled;

  struct Read {
    const GridRows& of;
    dim_t x0;  // the head's place in the first token
    RWKV_HD auto columns(dim_t t, dim_t c) const -> typename Time::template Values<4> {
      const dim_t x = x0 + t * (H * Size) + c;
      return {load(of.in.v.data, x), of.kept.recalled.data[x], load(of.dy.data, x), of.drecalled[x]};
    }
    RWKV_HD auto rows(dim_t t, dim_t c) const -> typename Time::template Values<5> {
      const dim_t x = x0 + t * (H * Size) + c;
      return {load(of.in.w.data, x), load(of.in.k.data, x), load(of.in.b.data, x), load(of.in.r.data, x),
              load(of.in.a.data, x)};
    }
  };

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    using rwkv::detail::grid::share_sums, rwkv::detail::grid::unrolled;
    const dim_t head = here.index() / Tile::blocks;
    const Time back{
        here.template shared<typename Time::Memory>(), {here.index() % Tile::blocks, here.thread()}, here.thread()};
    const Tile& my = back.tile;
    const dim_t x0 = in.at(head, 0), own = x0 + my.first + my.row;
    Number dz[4][4];
    my.read(dstate.data + head * Size * Size, dz);
    const auto advance = [&](const Number(&z)[4][4], int j, Number(&to)[4][4]) {
      const auto fade = back.row(0, j), key = back.row(1, j), b = back.row(2, j);
      const auto v = back.column(0, j), sa = back.column(1, j);
      unrolled<4>([&](int k) {
        unrolled<4>([&](int c) { to[k][c] = fade.at[k] * z[k][c] + b.at[k] * sa.at[c] + key.at[k] * v.at[c]; });
      });
    };
    const auto met = [&](const Number(&after)[4][4], int j, dim_t t) {
      const auto dy_t = back.column(2, j);
      Number dr[4]{};
      unrolled<4>([&](int k) { unrolled<4>([&](int c) { dr[k] += after[k][c] * dy_t.at[c]; }); });
      const int first = share_sums<lanes, 4>(here, dr);
      if (first >= 0 && my.inside)
        unrolled<rwkv::detail::grid::shared_out<lanes, 4>>(
            [&](int m) { store(d.r.data, own + t * (H * Size) + first + m, dr[m]); });
    };
    const auto token = [&](const Number(&before)[4][4], int j, dim_t t) {
      const auto fade = back.row(0, j), r = back.row(3, j), a = back.row(4, j);
      const auto v = back.column(0, j), sa = back.column(1, j), dy_t = back.column(2, j), dsa = back.column(3, j);
      Number sums[16]{};  // of w, k, a and b
      unrolled<4>([&](int k) {
        unrolled<4>([&](int c) {
          const Number all = dz[k][c] + r.at[k] * dy_t.at[c];
          sums[k] += all * before[k][c], sums[4 + k] += all * v.at[c];
          sums[8 + k] += before[k][c] * dsa.at[c], sums[12 + k] += all * sa.at[c];
          dz[k][c] = fade.at[k] * all + a.at[k] * dsa.at[c];
        });
        sums[k] *= fade.at[k];
      });
      const int first = share_sums<lanes, 16>(here, sums);
      if (first < 0 || !my.inside) return;
      unrolled<rwkv::detail::grid::shared_out<lanes, 16>>([&](int m) {
        const int signal = (first + m) / 4;
        T* const to = signal == 0 ? d.w.data : signal == 1 ? d.k.data : signal == 2 ? d.a.data : d.b.data;
        store(to, own + t * (H * Size) + (first + m) % 4, sums[m]);
      });
    };
    const auto start = [&](dim_t n) { return kept.starts.data + in.start(head, n); };
    back.run(here, in.seq(), Read{*this, x0}, start, advance, met, token);
    my.write(dstate.data + head * Size * Size, dz);
  }
};

}  // namespace rwkv::wkv7
