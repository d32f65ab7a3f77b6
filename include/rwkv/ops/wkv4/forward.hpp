#pragma once
#include <rwkv/ops/wkv4/span.hpp>
#include <rwkv/ops/wkv4/time.hpp>

// From the first token to the last.
namespace rwkv::wkv4 {

/// A state and its official exponent, which no scale touches.
template <class L>
struct Carried {
  static constexpr dim_t rows = 4;
  Element<L> sums{};
  L pp = sums.top;

  /// (aa, bb, pp): the sums on the scale e^pp.
  [[gnu::always_inline]] RWKV_HD Element<L> state() const { return sums.on(pp); }
  RWKV_HD Carried then(const Carried& later, L decay) const {
    return {sums.then(later.sums, decay), math::max(pp + decay, later.pp)};
  }
  template <class T, class I>
  static RWKV_HD Carried read(const T* p, I i, dim_t C) {
    return {Element<L>::read(p, i, C), load(p, i + 3 * C)};
  }
  template <class T, class I>
  RWKV_HD void write(T* p, I i, dim_t C) const {
    sums.write(p, i, C), store(p, i + 3 * C, pp);
  }
};

/// n <= span tokens from index i on: the outputs where asked to, and the state after them.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Carried<L> span_forward(const Inputs<T>& in, T* y, I i, dim_t n, const Channel<L>& channel,
                                const Carried<L>& carried) {
  const L decay = channel.w * scalar_of<L>(n);
  const Keys<C, L> keys(in.k, i, n, channel.w, carried.pp);
  const auto next = [&] {
    prefetch(in.v, i + ahead * C);
    if constexpr (Writes) prefetch(y, i + ahead * C);
    i = i + C;
  };
  Element<L> state = carried.sums;
  if (!keys.within(state.top, channel.u) && keys.within(keys.middle(), channel.u)) state = state.on(keys.middle());
  if (keys.within(state.top, channel.u)) {
    Sums<L> all{state.a, state.b}, own{};
    for (; n > 0; --n) {
      const L e = weight(load(in.k, i) - state.top), ev = e * load(in.v, i);
      if constexpr (Writes) {
        store(y, i, (all.a + channel.bonus * ev) / (all.b + channel.bonus * e));
        all = all.then(channel.fade, ev, e);
      }
      own = own.then(channel.fade, ev, e);
      next();
    }
    return {state.then({own.a, own.b, state.top}, decay), keys.pp};
  }
  state = carried.sums.on(carried.pp);
  Element<L> all = state, own;
  for (; n > 0; --n) {
    const Token<L> token(all, channel.u, load(in.k, i), load(in.v, i));
    if constexpr (Writes) store(y, i, token.y);
    all = all.then(Element<L>::of_token(token.k, token.v), channel.w);
    own = own.then(Element<L>::of_token(token.k, token.v), channel.w);
    next();
  }
  return {state.then(own, decay)};
}

/// The Pass, see Step. starts may be null.
template <class T, dim_t C>
struct Forward {
  using Number = compute_of<T>;
  template <class L>
  using Carried = wkv4::Carried<L>;
  static constexpr bool backwards = false;
  static constexpr dim_t width = C;
  Inputs<T> in;
  T* y;
  Number *state, *starts;

  template <class L>
  RWKV_HD Carried<L> enter(const Channel<L>&, dim_t b, auto c, dim_t) const {
    return {Element<L>::read(state, b * 3 * C + c, C)};
  }
  template <bool Writes, class L>
  RWKV_HD Carried<L> over(const Channel<L>& channel, const Carried<L>& x, dim_t b, auto c, dim_t n) const {
    if (Writes && starts) x.state().write(starts, (b * in.seq.spans() + n) * 3 * C + c, C);
    return span_forward<Writes, C>(in, y, (b * in.seq.time + n * span) * C + c, in.tokens(n), channel, x);
  }
  template <class L>
  RWKV_HD void collect(const Carried<L>&, dim_t, auto) const {}
  template <class L>
  RWKV_HD void leave(const Carried<L>& x, dim_t b, auto c, dim_t) const {
    x.state().write(state, b * 3 * C + c, C);
  }
};

}  // namespace rwkv::wkv4
