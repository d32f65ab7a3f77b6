#pragma once
#include <rwkv/ops/wkv4/span.hpp>
#include <rwkv/ops/wkv4/time.hpp>

// From the first token to the last.
namespace rwkv::wkv4 {

/// A state and its official exponent, which no scale touches.
template <class L>
struct Carried {
  static constexpr dim_t rows = 4;
  Element<L> sums;
  L pp = sums.top;

  /// (aa, bb, pp): the sums on the scale e^pp.
  [[gnu::always_inline]] RWKV_HD Element<L> state() const { return sums.on(pp); }
  template <class T, class I>
  [[gnu::always_inline]] static RWKV_HD Carried of_state(const T* p, I i, dim_t C) {
    return {Element<L>::read(p, i, C)};
  }
  /// Rows of a (..., rows, C).
  template <class T, class I>
  [[gnu::always_inline]] static RWKV_HD Carried read(const T* p, I i, dim_t C) {
    return {Element<L>::read(p, i, C), load(p, i + 3 * C)};
  }
  template <class T, class I>
  [[gnu::always_inline]] RWKV_HD void write(T* p, I i, dim_t C) const {
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

/// Row (sequence, block), some spans a step. To write: the outputs, from what came before the block. Else, for all
/// blocks but the last of a group: the block alone.
template <bool Writes, class T, dim_t C>
struct Forward {
  using N = compute_of<T>;
  Blocks blocks;
  Inputs<T> in;
  T* y;
  N *state, *starts, *carried;

  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    const auto [blocks, in, y, state, starts, carried] = *this;  // no store can change a local copy
    const dim_t count = Writes ? blocks.count : blocks.count - 1, b = row / count, block = row % count;
    const dim_t begin = blocks.begin(block) + step * per_step, last = blocks.end(block);
    const dim_t end = begin + per_step < last ? begin + per_step : last;
    if (begin >= end) return;
    const auto channel = Channel<L>::read(in.time_decay, in.time_first, c);
    const auto slot = (b * blocks.count + block) * Carried<L>::rows * C + c, whole = b * 3 * C + c;
    Carried<L> past;
    if (step > 0 || (Writes && blocks.count > 1))
      past = Carried<L>::read(carried, slot, C);
    else if (Writes)
      past = Carried<L>::of_state(state, whole, C);
    for (dim_t n = begin; n < end; ++n) {
      if (Writes && starts) past.state().write(starts, (b * in.seq.spans() + n) * 3 * C + c, C);
      past = span_forward<Writes, C>(in, y, (b * in.seq.time + n * span) * C + c, blocks.tokens(n), channel, past);
    }
    if (Writes && block == blocks.count - 1 && end == last)
      past.state().write(state, whole, C);
    else
      past.write(carried, slot, C);
  }
};

/// From the blocks of a group alone to what comes before each.
template <class T, dim_t C>
struct CarryForward {
  using N = compute_of<T>;
  Blocks blocks;
  Inputs<T> in;
  const N* state;
  N* carried;

  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    const L decay = Channel<L>::read(in.time_decay, in.time_first, c).w * N(blocks.length * span);
    auto past = Carried<L>::of_state(state, b * 3 * C + c, C);
    for (dim_t block = 0; block < blocks.count; ++block) {
      const auto slot = (b * blocks.count + block) * Carried<L>::rows * C + c;
      const auto own = Carried<L>::read(carried, slot, C);
      past.write(carried, slot, C);
      past = {past.sums.then(own.sums, decay), math::max(past.pp + decay, own.pp)};
    }
  }
};

template <class B, dim_t C>
void forward(Scratch<B>& scratch, const Cut& cut, const Inputs<typename B::scalar>& in, typename B::scalar* y,
             compute_of<typename B::scalar>* state, compute_of<typename B::scalar>* starts) {
  using T = typename B::scalar;
  const auto frame = scratch.frame();
  const dim_t batch = in.seq.batch;
  auto* const carried = scratch.accum(batch * cut.count * Carried<compute_of<T>>::rows * C);
  cut.for_groups(false, [&](const Blocks& blocks) {
    if (blocks.count > 1) {
      B::for_each_step(batch * (blocks.count - 1), C, blocks.steps(),
                       Forward<false, T, C>{blocks, in, y, state, starts, carried}, 4 * per_step);
      B::for_each(batch, C, CarryForward<T, C>{blocks, in, state, carried});
    }
    B::for_each_step(batch * blocks.count, C, blocks.steps(),
                     Forward<true, T, C>{blocks, in, y, state, starts, carried}, 4 * per_step);
  });
}

/// Fewer tokens than these are decoding: one launch, and nothing is kept between them but the state.
inline constexpr dim_t few_tokens = 4;

template <class T, dim_t C>
struct FewTokens {
  using N = compute_of<T>;
  Inputs<T> in;
  T* y;
  N *state, *starts;

  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    const auto [in, y, state, starts] = *this;
    const auto channel = Channel<L>::read(in.time_decay, in.time_first, c);
    const auto slot = b * 3 * C + c;
    auto past = Element<L>::read(state, slot, C);
    if (starts) past.write(starts, slot, C);
    auto i = b * in.seq.time * C + c;
    for (dim_t t = 0; t < in.seq.time; ++t, i = i + C) {
      const Token<L> token(past, channel.u, load(in.k, i), load(in.v, i));
      store(y, i, token.y);
      past = past.then(Element<L>::of_token(token.k, token.v), channel.w);
    }
    past.write(state, slot, C);
  }
};

}  // namespace rwkv::wkv4
