#pragma once
#include <rwkv/backend/grid.hpp>
#include <rwkv/ops/wkv4.hpp>

// WKV-4 in blocks of threads, a block to 32 channels of a sequence. A warp takes a segment of tokens, a thread a
// channel of it: the segment is read once, kept in registers, reduced to one element, and gone through again from what
// came before, which the elements of other warps say. So a tile of time costs one latency instead of one for every
// token. In float, bytes a token and channel: forward 12, backward 20, and 12 for every span; exponentials: 5 and 10.
// On an H100 (3.35 TB/s, about 3.7e12 exponentials/s) that is at least 2.8 and 4.6 ns a token of 768 channels; the
// exponentials take 1.0 and 2.1.
namespace rwkv::wkv4 {

/// Which channel of which sequence a thread has, and which segment of a tile.
template <dim_t C, int Length, int Warps>
struct Place {
  static constexpr int length = Length, warps = Warps, threads = Warps * warp;
  static constexpr dim_t tile = Length * Warps, groups = (C + warp - 1) / warp;
  int lane, segment;
  dim_t b, c;
  bool inside;

  template <Block Here>
  explicit RWKV_HD Place(Here& here) : lane(here.thread() % warp), segment(here.thread() / warp) {
    b = here.index() / groups, c = here.index() % groups * warp + lane, inside = c < C;
    if (!inside) c = C - 1;  // reads along, writes nothing
  }
  /// How many tokens the segment has that begins at t.
  static RWKV_HD int tokens(dim_t time, dim_t t) {
    return int(math::max<dim_t>(0, math::min<dim_t>(time - t, length)));
  }
  /// f(j) for the n tokens of a segment, in order or from the last.
  template <bool Back = false, class F>
  static RWKV_HD void each(int n, const F& f) {
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
    for (int i = 0; i < length; ++i)
      if (const int j = Back ? length - 1 - i : i; j < n) f(j);
  }
};

/// The elements of a tile's segments. From them, what comes before a thread's own, where `carried` came before the
/// tile.
template <class Number, class Mine, bool Back = false>
struct Segments {
  Element<Number> of[Mine::warps][warp];
  RWKV_HD Element<Number> before(const Mine& my, dim_t time, dim_t first, Number w, Element<Number>& carried) const {
    Element<Number> before;
    for (int i = 0; i < Mine::warps; ++i) {
      const int s = Back ? Mine::warps - 1 - i : i, n = Mine::tokens(time, first + s * Mine::length);
      if (s == my.segment) before = carried;
      if (n > 0) carried = carried.then(of[s][my.lane], Number(n) * w);
    }
    return before;
  }
};

template <class T, dim_t C>
struct GridForward {
  using Mine = Place<C, 16, 16>;
  static constexpr int threads = Mine::threads;
  using Number = compute_of<T>;
  Inputs<T> in;
  T* y;
  Number *state, *starts;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const Mine my(here);
    auto& elements = here.template shared<Segments<Number, Mine>>();
    const auto channel = Channel<Number>::read(in.time_decay, in.time_first, my.c);
    const Number w = channel.w, u = channel.u;
    auto carried = Element<Number>::read(state, my.b * 3 * C + my.c, C);
    for (dim_t first = 0; first < in.seq.time; first += Mine::tile) {
      const dim_t t = first + my.segment * Mine::length, i = (my.b * in.seq.time + t) * C + my.c;
      const int n = Mine::tokens(in.seq.time, t);
      Number k[Mine::length]{}, v[Mine::length]{};
      Mine::each(n, [&](int j) { k[j] = in.k[i + j * C], v[j] = in.v[i + j * C]; });
      Element<Number> own;
      Mine::each(n, [&](int j) { own = own.with_token(k[j], v[j], w); });
      elements.of[my.segment][my.lane] = own;
      here.sync();
      Element<Number> prefix = elements.before(my, in.seq.time, first, w, carried);
      here.sync();  // the elements have been read
      if (!my.inside || n == 0) continue;
      if (starts && t % span == 0) prefix.write(starts, (my.b * in.seq.spans() + t / span) * 3 * C + my.c, C);
      Mine::each(n, [&](int j) {
        store(y, i + j * C, Token<Number>(prefix, u, k[j], v[j]).y);
        prefix = prefix.with_token(k[j], v[j], w);
      });
    }
    if (my.inside && my.segment == 0) carried.write(state, my.b * 3 * C + my.c, C);
  }
};

/// From the last tile. Sums (batch, 2, C) are what a sequence adds to the gradients of w and u.
template <class T, dim_t C>
struct GridBackward {
  using Mine = Place<C, 8, 16>;
  using Number = compute_of<T>;
  static constexpr int threads = Mine::threads, of_span = span / Mine::length;  // segments
  static_assert(span % Mine::length == 0 && Mine::tile % span == 0);
  Inputs<T> in;
  Gradients<T> g;
  Number *dstate, *sums;

  template <Block Here>
  RWKV_HD void operator()(Here& here) const {
    const Mine my(here);
    auto& elements = here.template shared<Segments<Number, Mine>>();
    auto& adjoints = here.template shared<Segments<Number, Mine, true>>();
    const auto channel = Channel<Number>::read(in.time_decay, in.time_first, my.c);
    const Number w = channel.w, u = channel.u;
    const dim_t spans = in.seq.spans(), last = (in.seq.time - 1) / Mine::tile * Mine::tile;
    const auto start = [&](dim_t n) { return Element<Number>::read(g.starts, (my.b * spans + n) * 3 * C + my.c, C); };
    auto carried = gradient_after<C>(in, g, dstate, my.b, my.c, spans, w);
    Number dw = 0, du = 0;
    for (dim_t first = last; first >= 0; first -= Mine::tile) {
      const dim_t t = first + my.segment * Mine::length, i = (my.b * in.seq.time + t) * C + my.c;
      const int n = Mine::tokens(in.seq.time, t);
      Number k[Mine::length]{}, v[Mine::length]{}, dy[Mine::length]{};
      Mine::each(n, [&](int j) { k[j] = in.k[i + j * C], v[j] = in.v[i + j * C], dy[j] = g.dy[i + j * C]; });
      Element<Number> own;
      Mine::each(n, [&](int j) { own = own.with_token(k[j], v[j], w); });
      elements.of[my.segment][my.lane] = own;
      here.sync();
      Element<Number> prefix, d;
      Token<Number> tokens[Mine::length];
      if (n > 0) {  // from the state before its span
        prefix = start(t / span);
        for (int s = my.segment / of_span * of_span; s < my.segment; ++s)
          prefix = prefix.then(elements.of[s][my.lane], Number(Mine::length) * w);
      }
      Mine::each(n, [&](int j) {
        tokens[j] = Token<Number>(prefix, u, k[j], v[j]);
        prefix = prefix.with_token(k[j], v[j], w);
      });
      Mine::template each<true>(n, [&](int j) { d = d.then(tokens[j].adjoint(dy[j]), w); });
      adjoints.of[my.segment][my.lane] = d;
      here.sync();
      d = adjoints.before(my, in.seq.time, first, w, carried);
      Mine::template each<true>(n, [&](int j) {
        const TokenGradients<Number> of(tokens[j], w, dy[j], d);
        if (my.inside) store(g.dv, i + j * C, of.dv), store(g.dk, i + j * C, of.dk);
        du += of.du, dw += of.dw;
        d = d.then(tokens[j].adjoint(dy[j]), w);
      });
      here.sync();  // both kinds of elements have been read
    }
    elements.of[my.segment][my.lane] = {dw, du, Number(0)};
    here.sync();
    if (!my.inside || my.segment > 0) return;
    for (int s = 1; s < Mine::warps; ++s) dw += elements.of[s][my.lane].a, du += elements.of[s][my.lane].b;
    sums[my.b * 2 * C + my.c] = dw, sums[my.b * 2 * C + C + my.c] = du;
    gradient_before(carried, start(0)).write(dstate, my.b * 3 * C + my.c, C);
  }
};

}  // namespace rwkv::wkv4

namespace rwkv {

template <class B, dim_t C>
requires Grid<B>
void wkv4_forward(Scratch<B>&, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                  Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> y, Tensor<Accum<B>, Batch, 3, C> state,
                  Tensor<Accum<B>, Batch, Spans, 3, C> starts, OverTime = OverTime::automatic) {
  if (k.seq.time == 0) return;
  using Kernel = wkv4::GridForward<typename B::scalar, C>;
  B::launch(k.seq.batch * Kernel::Mine::groups,
            Kernel{{k.seq, time_decay.data, time_first.data, k.data, v.data}, y.data, state.data, starts.data});
}
template <class B, dim_t C>
requires Grid<B>
void wkv4_backward(Scratch<B>& scratch, Tensor<B, C> time_decay, Tensor<B, C> time_first, Tensor<B, Batch, Time, C> k,
                   Tensor<B, Batch, Time, C> v, Tensor<Accum<B>, Batch, Spans, 3, C> starts,
                   Tensor<B, Batch, Time, C> dy, Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv,
                   Tensor<Accum<B>, C> dtime_decay, Tensor<Accum<B>, C> dtime_first,
                   Tensor<Accum<B>, Batch, 3, C> dstate, OverTime = OverTime::automatic) {
  if (k.seq.time == 0) return;
  using T = typename B::scalar;
  using Kernel = wkv4::GridBackward<T, C>;
  const auto frame = scratch.frame();
  auto* const sums = scratch.accum(k.seq.batch * 2 * C);
  const wkv4::Inputs<T> in{k.seq, time_decay.data, time_first.data, k.data, v.data};
  B::launch(k.seq.batch * Kernel::Mine::groups,
            Kernel{in, {starts.data, dy.data, dk.data, dv.data}, dstate.data, sums});
  wkv4::add_to_parameters(scratch, k.seq.batch, in, sums, dtime_decay, dtime_first);
}

}  // namespace rwkv
