#pragma once
#include <rwkv/ops/wkv4/span.hpp>
#include <rwkv/ops/wkv4/time.hpp>

// From the first token to the last.
namespace rwkv::wkv4 {

/// n <= span tokens from index i on: the outputs where asked to, and the state after them.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Element<L> span_forward(const Inputs<T>& in, T* y, I i, dim_t n, const Channel<L>& channel, Element<L> state) {
  const L decay = channel.w * scalar_of<L>(n);
  const Keys<C, L> keys(in.k, i, n, channel.w, state.top);
  const auto next = [&] {
    prefetch(in.v, i + ahead * C);
    if constexpr (Writes) prefetch(y, i + ahead * C);
    i = i + C;
  };
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
    return state.then({own.a, own.b, state.top}, decay).on(keys.pp);
  }
  Element<L> all = state, own;
  for (; n > 0; --n) {
    const Token<L> token(all, channel.u, load(in.k, i), load(in.v, i));
    if constexpr (Writes) store(y, i, token.y);
    all = all.then(Element<L>::of_token(token.k, token.v), channel.w);
    own = own.then(Element<L>::of_token(token.k, token.v), channel.w);
    next();
  }
  return state.then(own, decay);
}

/// The Pass, see OverBlocks. starts may be null.
template <class T, dim_t C>
struct Forward {
  using Number = compute_of<T>;
  static constexpr bool backwards = false;
  static constexpr dim_t width = C;
  Inputs<T> in;
  T* y;
  Number *state, *starts;

  template <class L>
  RWKV_HD Element<L> enter(const Channel<L>&, dim_t b, auto c, dim_t) const {
    return Element<L>::read(state, b * 3 * C + c, C);
  }
  template <bool Writes, class L>
  RWKV_HD Element<L> over(const Channel<L>& channel, const Element<L>& x, dim_t b, auto c, dim_t n, dim_t) const {
    if (Writes && starts) x.write(starts, (b * in.seq.spans() + n) * 3 * C + c, C);
    return span_forward<Writes, C>(in, y, (b * in.seq.time + n * span) * C + c, in.tokens(n), channel, x);
  }
  template <class L>
  RWKV_HD void leave(const Element<L>& x, dim_t b, auto c, dim_t) const {
    x.write(state, b * 3 * C + c, C);
  }
};

}  // namespace rwkv::wkv4
