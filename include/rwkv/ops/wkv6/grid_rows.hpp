#pragma once
#include <rwkv/ops/gpu/head_rows.hpp>
#include <rwkv/ops/wkv6/signals.hpp>

namespace rwkv::wkv6 {

/// Backward: some rows of a head's state to a block. Writes the gradients of all but v, the sums for the bonus and for
/// a decay that does not change, and the gradient of the first state.
template <class B, dim_t H, dim_t Size, class In, class Out>
struct GridRows {
  using Number = typename Accum<B>::scalar;
  using Time = rwkv::detail::grid::BackInTime<Number, Size, 2, 3, 1, 2>;
  using Tile = typename Time::Tile;
  static constexpr int threads = Tile::threads, lanes = Tile::lanes;
  In in;
  Out d;
  Starts<B, H, Size> starts;
  Tensor<B, Batch, rwkv::Time, H * Size> dy;
  State<B, H, Size> dstate;
  Sums<Number, Size> sums;

  struct Read {
    const GridRows& of;
    dim_t x0, decay, step;  // the head's place in the first token, the same among decays, and from one of these on
    RWKV_HD auto columns(dim_t t, dim_t c) const -> typename Time::template Values<2> {
      const dim_t x = x0 + t * (H * Size) + c;
      return {load(of.in.v.data, x), load(of.dy.data, x)};
    }
    RWKV_HD auto rows(dim_t t, dim_t c) const -> typename Time::template Values<3> {
      const dim_t x = x0 + t * (H * Size) + c;
      return {load(of.in.w.data, decay + t * step + c), load(of.in.k.data, x), load(of.in.r.data, x)};
    }
  };

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    using rwkv::detail::grid::share_sums, rwkv::detail::grid::unrolled;
    constexpr int kept = rwkv::detail::grid::shared_out<lanes, 16>;
    const dim_t head = here.index() / Tile::blocks;
    const Time back{
        here.template shared<typename Time::Memory>(), {here.index() % Tile::blocks, here.thread()}, here.thread()};
    const Tile& my = back.tile;
    const dim_t x0 = in.at(head, 0), own = x0 + my.first + my.row, u0 = in.parameter(head) + my.first + my.row;
    Number dz[4][4], u[4], total[kept]{};
    my.read(dstate.data + head * Size * Size, dz);
    unrolled<4>([&](int k) { u[k] = load(in.u.data, u0 + k); });

    const auto advance = [&](const Number(&z)[4][4], int j, Number(&to)[4][4]) {
      const auto fade = back.row(0, j), key = back.row(1, j), v = back.column(0, j);
      unrolled<4>([&](int k) { unrolled<4>([&](int c) { to[k][c] = fade.at[k] * z[k][c] + key.at[k] * v.at[c]; }); });
    };
    const auto met = [](const Number(&)[4][4], int, dim_t) {};
    const auto token = [&](const Number(&before)[4][4], int j, dim_t t) {
      const auto fade = back.row(0, j), key = back.row(1, j), r = back.row(2, j);
      const auto v = back.column(0, j), dy_t = back.column(1, j);
      Number part[16]{}, dbonus = 0;  // of r, k, w and u; v dy
      unrolled<4>([&](int c) { dbonus += v.at[c] * dy_t.at[c]; });
      unrolled<4>([&](int k) {
        unrolled<4>([&](int c) {
          part[k] += before[k][c] * dy_t.at[c], part[4 + k] += dz[k][c] * v.at[c];
          part[8 + k] += dz[k][c] * before[k][c];
          dz[k][c] = fade.at[k] * dz[k][c] + r.at[k] * dy_t.at[c];
        });
        part[k] += u[k] * key.at[k] * dbonus, part[4 + k] += u[k] * r.at[k] * dbonus;
        part[8 + k] *= fade.at[k], part[12 + k] = r.at[k] * key.at[k] * dbonus;
      });
      const int first = share_sums<lanes, 16>(here, part);
      if (first < 0 || !my.inside) return;
      unrolled<kept>([&](int m) {
        const int signal = (first + m) / 4;
        const dim_t x = own + t * (H * Size) + (first + m) % 4;
        total[m] += part[m];  // what it has of w and u is the same all the time
        if (signal < 2) store(signal == 0 ? d.r.data : d.k.data, x, part[m]);
        if constexpr (!In::still)
          if (signal == 2) store(d.w.data, x, part[m]);
      });
    };
    const auto start = [&](dim_t n) { return starts.data + in.start(head, n); };
    const Read read{*this, x0, in.decay(head, 0), In::still ? 0 : H * Size};
    back.run(here, in.seq(), read, start, advance, met, token);
    my.write(dstate.data + head * Size * Size, dz);
    Number none[16]{};
    const int first = share_sums<lanes, 16>(here, none);  // which sums the thread has
    if (first < 0 || !my.inside) return;
    unrolled<kept>([&](int m) {
      const dim_t row = my.first + my.row + (first + m) % 4;
      if ((first + m) / 4 == 2) sums.decay(head)[row] = total[m];
      if ((first + m) / 4 == 3) sums.bonus(head)[row] = total[m];
    });
  }
};

}  // namespace rwkv::wkv6
