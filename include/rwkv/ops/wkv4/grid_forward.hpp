#pragma once
#include <rwkv/ops/wkv4/grid_place.hpp>

namespace rwkv::wkv4 {

template <class T, dim_t C>
struct GridForward {
  using Mine = Place<C, 16, 8>;
  static constexpr int threads = Mine::threads, length = Mine::length;
  using Number = compute_of<T>;
  Inputs<T> in;
  T* y;
  Number *state, *starts;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const Mine my(here);
    auto& elements = here.template shared<Segments<Number, Mine>>();
    const auto channel = Channel<Number>::read(in.time_decay, in.time_first, my.c);
    auto carried = Element<Number>::read(state, my.b * 3 * C + my.c, C);
    for (dim_t first = 0; first < in.seq.time; first += Mine::tile) {
      const dim_t t = first + my.segment * length, i = (my.b * in.seq.time + t) * C + my.c;
      const int n = Mine::tokens(in.seq.time, t);
      Weights<Number, length> weights;
      Number v[length];
      if (n == length) {
        unrolled<length>([&](int j) { v[j] = load(in.v, i + j * C); });
        weights.read(in.k, i, C, channel);
      }
      elements.of[my.segment][my.lane] =
          weights.near ? weights.element(v, channel.fade) : element_of(in, i, C, n, channel.w);
      here.sync();
      auto all = elements.chained(here, my, in.seq.time, first, channel.w, carried);
      if (!my.inside || n == 0) continue;
      if (starts && t % span == 0) all.write(starts, (my.b * in.seq.spans() + t / span) * 3 * C + my.c, C);
      if (weights.reaches(all)) {
        all = all.on(weights.s);
        unrolled<length>([&](int j) {
          const Number e = weights.e[j], ev = e * v[j];
          store(y, i + j * C, (all.a + channel.bonus * ev) / (all.b + channel.bonus * e));
          all = all.then(channel.fade, ev, e);
        });
      } else {
        for (int j = 0; j < n; ++j) {
          const Token<Number> token(all, channel.u, load(in.k, i + j * C), load(in.v, i + j * C));
          store(y, i + j * C, token.y);
          all = all.with_token(token.k, token.v, channel.w);
        }
      }
    }
    if (my.inside && my.segment == 0) carried.write(state, my.b * 3 * C + my.c, C);
  }
};

}  // namespace rwkv::wkv4
