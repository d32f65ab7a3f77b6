#pragma once
#include <rwkv/ops/wkv4/grid_place.hpp>

namespace rwkv::wkv4 {

/// From the last tile. Sums (batch, 2, C) are what a sequence adds to the gradients of w and u.
template <class T, dim_t C>
struct GridBackward {
  using Mine = Place<C, 8, 8>;
  using Number = compute_of<T>;
  static constexpr int threads = Mine::threads, length = Mine::length, of_span = span / length;  // segments
  static constexpr int at_once = sizeof(Number) > 4 ? 1 : 2;
  static_assert(span % length == 0 && Mine::tile % span == 0);
  Inputs<T> in;
  Gradients<T> g;
  Number *dstate, *sums;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const Mine my(here);
    auto& elements = here.template shared<Segments<Number, Mine>>();
    auto& adjoints = here.template shared<Segments<Number, Mine, true>>();
    const auto channel = Channel<Number>::read(in.time_decay, in.time_first, my.c);
    const Number w = channel.w;
    const dim_t spans = in.seq.spans(), last = (in.seq.time - 1) / Mine::tile * Mine::tile;
    const auto start = [&](dim_t n) { return Element<Number>::read(g.starts, (my.b * spans + n) * 3 * C + my.c, C); };
    auto carried = gradient_after<C>(in, g, dstate, my.b, my.c, spans, w);
    Parameters d{};
    for (dim_t first = last; first >= 0; first -= Mine::tile) {
      const dim_t t = first + my.segment * length, i = (my.b * in.seq.time + t) * C + my.c;
      const int n = Mine::tokens(in.seq.time, t);
      Fast fast;
      if (n == length) {
        unrolled<length>([&](int j) { fast.v[j] = load(in.v, i + j * C), fast.q[j] = load(g.dy, i + j * C); });
        fast.weights.read(in.k, i, C, channel);
      }
      elements.of[my.segment][my.lane] =
          fast.weights.near ? fast.weights.element(fast.v, channel.fade) : element_of(in, i, C, n, w);
      here.sync();
      Element<Number> prefix;
      if (n > 0) {  // from the state before its span
        prefix = start(t / span);
        for (int s = my.segment / of_span * of_span; s < my.segment; ++s)
          prefix = prefix.then(elements.of[s][my.lane], Number(length) * w);
      }
      const bool reaches = fast.weights.reaches(prefix);
      adjoints.of[my.segment][my.lane] = reaches ? fast.adjoint(prefix, channel) : adjoint(prefix, channel, i, n);
      here.sync();
      const auto after = adjoints.chained(here, my, in.seq.time, first, w, carried);
      if (!my.inside) continue;
      if (reaches)
        fast.differentiate(after, channel, d, [&](int j, Number dk, Number dv) {
          store(g.dk, i + j * C, dk), store(g.dv, i + j * C, dv);
        });
      else
        differentiate(prefix, after, channel, i, n, d);
    }
    elements.of[my.segment][my.lane] = {d.w, d.u, Number(0)};
    here.sync();
    if (!my.inside || my.segment > 0) return;
    for (int s = 1; s < Mine::warps; ++s) d.w += elements.of[s][my.lane].a, d.u += elements.of[s][my.lane].b;
    sums[my.b * 2 * C + my.c] = d.w, sums[my.b * 2 * C + C + my.c] = d.u;
    gradient_before(carried, start(0)).write(dstate, my.b * 3 * C + my.c, C);
  }

 private:
  /// What a thread adds to the gradients of parameters.
  struct Parameters {
    Number w, u;
  };

  /// A segment on one scale: formulas of span.hpp.
  struct Fast {
    Weights<Number, length> weights;
    Number v[length], q[length], y[length], a[length], b[length];  // a, b: the sums before a token

    /// From dy in q to q, and the element of the segment, on the scale of the largest weight in a q.
    [[gnu::always_inline]] RWKV_HD Element<Number> adjoint(const Element<Number>& before,
                                                           const Channel<Number>& channel) {
      auto all = before.on(weights.s);
      Number faded = 1, largest = 0, da = 0, db = 0;
      unrolled<length>([&](int j) {
        const Number e = weights.e[j], ev = e * v[j], over = Number(1) / (all.b + channel.bonus * e);
        a[j] = all.a, b[j] = all.b;
        y[j] = (all.a + channel.bonus * ev) * over, q[j] *= over;
        largest = math::max(largest, faded * over);
        da += faded * q[j], db -= faded * (q[j] * y[j]), faded *= channel.fade;
        all = all.then(channel.fade, ev, e);
      });
      return Element<Number>{da, db, -weights.s}.on(math::log(largest) - weights.s);
    }
    template <class Write>
    [[gnu::always_inline]] RWKV_HD void differentiate(const Element<Number>& after, const Channel<Number>& channel,
                                                      Parameters& sum, const Write& write) const {
      auto d = after.on(-weights.s);
      unrolled<length>([&](int k) {
        const int j = length - 1 - k;
        const Number self = channel.bonus * weights.e[j] * q[j], du = self * (v[j] - y[j]);
        write(j, du + weights.e[j] * (v[j] * d.a + d.b), self + weights.e[j] * d.a);
        sum.u += du, sum.w += channel.fade * (a[j] * d.a + b[j] * d.b);
        d = d.then(channel.fade, q[j], -q[j] * y[j]);
      });
    }
  };

  /// The same token after token, from memory.
  RWKV_HD Element<Number> adjoint(Element<Number> state, const Channel<Number>& channel, dim_t i, int n) const {
    Element<Number> all;
    for (int j = 0; j < n; ++j, i += C) {
      const Token<Number> token(state, channel.u, load(in.k, i), load(in.v, i));
      all = token.adjoint(load(g.dy, i)).then(all, Number(j) * channel.w);
      state = state.with_token(token.k, token.v, channel.w);
    }
    return all;
  }
  RWKV_HD void differentiate(Element<Number> state, Element<Number> d, const Channel<Number>& channel, dim_t i, int n,
                             Parameters& sum) const {
    Element<Number> before[length];
    for (int j = 0; j < n; ++j) {
      before[j] = state;
      state = state.with_token(Number(load(in.k, i + j * C)), Number(load(in.v, i + j * C)), channel.w);
    }
    for (int j = n; j-- > 0;) {
      const dim_t x = i + j * C;
      const Token<Number> token(before[j], channel.u, load(in.k, x), load(in.v, x));
      const Number dy = load(g.dy, x);
      const TokenGradients<Number> of(token, channel.w, dy, d);
      store(g.dv, x, of.dv), store(g.dk, x, of.dk);
      sum.u += of.du, sum.w += of.dw;
      d = d.then(token.adjoint(dy), channel.w);
    }
  }
};

}  // namespace rwkv::wkv4
