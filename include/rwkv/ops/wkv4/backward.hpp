#pragma once
#include <rwkv/ops/wkv4/span.hpp>
#include <rwkv/ops/wkv4/time.hpp>

// From the last token to the first.
namespace rwkv::wkv4 {

/// Back through n <= span tokens from index i on, which followed `start`; forwards again first. With
/// q_t = dy_t / (B_{t-1} + e^{u + k_t}) the gradients of A and B obey
///
///   dA_{t-1} = e^w dA_t + q_t,   dB_{t-1} = e^w dB_t - q_t y_t
///
/// on the inverse of the scale of A and B. Adds to the gradients of w and u, in rows of `sums` from j on.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Element<L> span_backward(const Inputs<T>& in, const Gradients<T>& g, I i, dim_t n, const Channel<L>& channel,
                                 const Element<L>& start, const Element<L>& after, compute_of<T>* sums, I j) {
  const L decay = channel.w * scalar_of<L>(n), fade = channel.fade, bonus = channel.bonus;
  const Keys<C, L> keys(in.k, i, n, channel.w, start.top);
  const auto next = [&] {
    prefetch(in.v, i + ahead * C), prefetch(g.dy, i + ahead * C);
    if constexpr (Writes) prefetch(g.dk, i), prefetch(g.dv, i);
    i = i + C;
  };
  Element<L> d = after;
  if (!keys.within(-d.top, channel.u) && keys.within(keys.middle(), channel.u)) d = d.on(-keys.middle());
  Element<L> own;
  L dw{}, du{};
  if (keys.within(-d.top, channel.u)) {
    const L s = -d.top;
    const Element<L> before = start.on(s);
    Sums<L> all{before.a, before.b}, d_all{d.a, d.b}, d_own{};
    struct Kept {
      L e, a, b, q, y;
    } kept[Writes ? span : 1];
    L faded = broadcast<L>(1);
    for (dim_t t = 0; t < n; ++t) {
      const L e = weight(load(in.k, i) - s), ev = e * load(in.v, i);
      const L over = scalar_of<L>(1) / (all.b + bonus * e), q = load(g.dy, i) * over, y = (all.a + bonus * ev) * over;
      if constexpr (Writes)
        kept[t] = {e, all.a, all.b, q, y};
      else
        d_own = {d_own.a + faded * q, d_own.b - faded * (q * y)}, faded = faded * fade;
      all = all.then(fade, ev, e);
      next();
    }
    if constexpr (Writes) {
      for (dim_t t = n; t-- > 0;) {
        i = i - C;
        const Kept& at = kept[t];
        const L v_t = load(in.v, i), self = bonus * at.e * at.q, du_t = self * (v_t - at.y), minus_qy = -at.q * at.y;
        store(g.dv, i, self + at.e * d_all.a);
        store(g.dk, i, du_t + at.e * (v_t * d_all.a + d_all.b));
        du = du + du_t, dw = dw + (at.a * d_all.a + at.b * d_all.b);
        d_all = d_all.then(fade, at.q, minus_qy), d_own = d_own.then(fade, at.q, minus_qy);
      }
    }
    own = {d_own.a, d_own.b, d.top}, dw = fade * dw;
  } else {
    d = after;
    Element<L> all = start, d_all = d;
    std::array<Token<L>, span> tokens;
    for (dim_t t = 0; t < n; ++t) {
      tokens[t] = Token<L>(all, channel.u, load(in.k, i), load(in.v, i));
      all = all.then(Element<L>::of_token(tokens[t].k, tokens[t].v), channel.w);
      next();
    }
    while (n-- > 0) {
      i = i - C;
      const L dy = load(g.dy, i);
      if constexpr (Writes) {
        const TokenGradients<L> of(tokens[n], channel.w, dy, d_all);
        store(g.dk, i, of.dk), store(g.dv, i, of.dv);
        dw = dw + of.dw, du = du + of.du;
      }
      d_all = d_all.then(tokens[n].adjoint(dy), channel.w), own = own.then(tokens[n].adjoint(dy), channel.w);
    }
  }
  if constexpr (Writes) store(sums, j, load(sums, j) + dw), store(sums, j + C, load(sums, j + C) + du);
  return d.then(own, decay);
}

/// The gradients of A and B after the first `end` spans, from dstate, which is on the scale of the state there.
template <dim_t C, class T, class I, class L>
RWKV_HD Element<L> gradient_after(const Inputs<T>& in, const Gradients<T>& g, const compute_of<T>* dstate, dim_t b, I c,
                                  dim_t end, L w) {
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

/// The Pass, see OverBlocks. Parts (Batch, blocks, 2, C) add up to the gradients of w and u. From group to group dstate
/// is the gradient of the state that the later one starts from.
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
  using N = compute_of<T>;
  dim_t count;
  Inputs<T> in;
  const N* parts;
  N *dtime_decay, *dtime_first;

  RWKV_HD void operator()(dim_t, auto c) const {
    using L = At<T, decltype(c)>;
    L dw{}, du{};
    for (dim_t part = 0; part < count; ++part) {
      dw = dw + load(parts, part * 2 * C + c);
      du = du + load(parts, part * 2 * C + C + c);
    }
    const L w = Channel<L>::read(in.time_decay, in.time_first, c).w;
    store(dtime_decay, c, load(dtime_decay, c) + w * dw);  // dw/dtime_decay = w
    store(dtime_first, c, load(dtime_first, c) + du);
  }
};

}  // namespace rwkv::wkv4
