#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/wkv4/span.hpp>
#include <rwkv/ops/wkv4/time.hpp>

// What WKV-4 does over time.
namespace rwkv::wkv4 {

/// From the first token to the last, see OverBlocks. starts may be null.
template <class T, dim_t C>
struct Forward {
  using Number = compute_of<T>;
  static constexpr bool backwards = false;
  static constexpr dim_t width = C;
  Inputs<T> in;
  T* y;
  Number *state, *starts;

  RWKV_HD auto enter(const auto&, dim_t b, auto c, dim_t) const {
    return Element<At<Number, decltype(c)>>::read(state, b * 3 * C + c, C);
  }
  template <bool Writes, class L>
  RWKV_HD Element<L> over(const Channel<L>& channel, const Element<L>& x, dim_t b, auto c, dim_t n, dim_t) const {
    if (Writes && starts) x.write(starts, (b * in.seq.spans() + n) * 3 * C + c, C);
    return span_forward<Writes, C>(in, y, (b * in.seq.time + n * span) * C + c, in.tokens(n), channel, x);
  }
  RWKV_HD void leave(const auto& x, dim_t b, auto c, dim_t) const { x.write(state, b * 3 * C + c, C); }
};

/// The gradients of A and B after the first `end` spans, from dstate, which is on the scale of the state there.
template <dim_t C, class T, class Index, class L>
RWKV_HD Element<L> gradient_after(const Inputs<T>& in, const Gradients<T>& g, const compute_of<T>* dstate, dim_t b,
                                  Index c, dim_t end, L w) {
  const dim_t spans = in.seq.spans(), n = end < spans ? end : spans - 1;
  L pp = load(g.starts, ((b * spans + n) * 3 + 2) * C + c);
  if (end == spans) pp = Keys<C, L>(in.k, (b * in.seq.time + n * span) * C + c, in.tokens(n), w, pp).pp;
  return {load(dstate, b * 3 * C + c), load(dstate, (b * 3 + 1) * C + c), -pp};
}

/// The gradient of a state (aa, bb, pp) from those of A and B.
template <class L>
[[gnu::always_inline]] RWKV_HD inline Element<L> gradient_before(const Element<L>& d, const Element<L>& state) {
  const auto at = d.on(-state.top);
  return {at.a, at.b, state.a * at.a + state.b * at.b};
}

/// From the last token to the first, see OverBlocks. Parts (Batch, blocks, 2, C) add up to the gradients of w and u.
/// From group to group dstate is the gradient of the state that the later one starts from.
template <class T, dim_t C>
struct Backward {
  using Number = compute_of<T>;
  static constexpr bool backwards = true;
  static constexpr dim_t width = C;
  Inputs<T> in;
  Gradients<T> g;
  Number *dstate, *parts;

  template <class L>
  RWKV_HD Element<L> start(dim_t b, auto c, dim_t n) const {
    return Element<L>::read(g.starts, (b * in.seq.spans() + n) * 3 * C + c, C);
  }
  template <class L>
  RWKV_HD Element<L> enter(const Channel<L>& channel, dim_t b, auto c, dim_t end) const {
    return gradient_after<C>(in, g, dstate, b, c, end, channel.w);
  }
  template <bool Writes, class L>
  RWKV_HD Element<L> over(const Channel<L>& channel, const Element<L>& d, dim_t b, auto c, dim_t n, dim_t slot) const {
    return span_backward<Writes, C>(in, g, (b * in.seq.time + n * span) * C + c, in.tokens(n), channel,
                                    start<L>(b, c, n), d, parts, slot * 2 * C + c);
  }
  template <class L>
  RWKV_HD void leave(const Element<L>& d, dim_t b, auto c, dim_t n) const {
    gradient_before(d, start<L>(b, c, n)).write(dstate, b * 3 * C + c, C);
  }
};

/// Adds to the gradients of a layer: sums over its sequences, or parts of them, the first to the last.
template <class T, dim_t C>
struct Parameters {
  using Number = compute_of<T>;
  static constexpr dim_t row_length = C;
  dim_t count;
  Inputs<T> in;
  const Number* parts;
  Number *dtime_decay, *dtime_first;

  RWKV_HD void operator()(dim_t, auto c) const {
    using L = At<T, decltype(c)>;
    L dw{}, du{};
    for (dim_t part = 0; part < count; ++part)
      dw = dw + load(parts, part * 2 * C + c), du = du + load(parts, (part * 2 + 1) * C + c);
    const L w = Channel<L>::read(in.time_decay, in.time_first, c).w;
    store(dtime_decay, c, load(dtime_decay, c) + w * dw);  // dw/dtime_decay = w
    store(dtime_first, c, load(dtime_first, c) + du);
  }
};
template <class B, dim_t C, class T>
void add_to_parameters(Scratch<B>& scratch, dim_t parts, const Inputs<T>& in, const compute_of<T>* sums,
                       Tensor<Accum<B>, C> dtime_decay, Tensor<Accum<B>, C> dtime_first) {
  B::for_each(
      1, C, Parameters<T, C>{parts, in, sums, scratch.gradient(dtime_decay).data, scratch.gradient(dtime_first).data});
}

}  // namespace rwkv::wkv4
