#pragma once
#include <rwkv/ops/wkv4/span.hpp>
#include <rwkv/ops/wkv4/time.hpp>

// From the last token to the first.
namespace rwkv::wkv4 {

/// Gradients of the sums A and B on the way from the last token, and those of w and u so far.
template <class L>
struct Adjoint {
  Element<L> sums{};
  L dw{}, du{};
};

/// Back through n <= span tokens from index i on, which followed `start`; forwards again first. With
/// q_t = dy_t / (B_{t-1} + e^{u + k_t}) the gradients of A and B obey
///
///   dA_{t-1} = e^w dA_t + q_t,   dB_{t-1} = e^w dB_t - q_t y_t
///
/// on the inverse of the scale of A and B.
template <bool Writes, dim_t C, class T, class I, class L>
RWKV_HD Adjoint<L> span_backward(const Inputs<T>& in, const Gradients<T>& g, I i, dim_t n, const Channel<L>& channel,
                                 const Element<L>& start, Adjoint<L> after) {
  const L decay = channel.w * scalar_of<L>(n), fade = channel.fade, bonus = channel.bonus;
  const Keys<C, L> keys(in.k, i, n, channel.w, start.top);
  const auto next = [&] {
    prefetch(in.v, i + ahead * C), prefetch(g.dy, i + ahead * C);
    if constexpr (Writes) prefetch(g.dk, i), prefetch(g.dv, i);
    i = i + C;
  };
  Element<L> d = after.sums;
  if (!keys.within(-d.top, channel.u) && keys.within(keys.middle(), channel.u)) d = d.on(-keys.middle());
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
    return {d.then({d_own.a, d_own.b, d.top}, decay), after.dw + fade * dw, after.du + du};
  }
  d = after.sums;
  Element<L> all = start, d_all = d, d_own;
  std::array<Token<L>, span> tokens;
  for (dim_t t = 0; t < n; ++t) {
    tokens[t] = Token<L>(all, channel.u, load(in.k, i), load(in.v, i));
    all = all.then(Element<L>::of_token(tokens[t].k, tokens[t].v), channel.w);
    next();
  }
  for (dim_t t = n; t-- > 0;) {
    i = i - C;
    const L dy = load(g.dy, i);
    if constexpr (Writes) {
      const TokenGradients<L> of(tokens[t], channel.w, dy, d_all);
      store(g.dk, i, of.dk), store(g.dv, i, of.dv);
      dw = dw + of.dw, du = du + of.du;
    }
    d_all = d_all.then(tokens[t].adjoint(dy), channel.w), d_own = d_own.then(tokens[t].adjoint(dy), channel.w);
  }
  return {d.then(d_own, decay), after.dw + dw, after.du + du};
}

/// The gradients of A and B after the first `end` spans, from dstate, which is on the scale of the state there.
template <dim_t C, class T, class I>
RWKV_HD auto gradient_after(const Inputs<T>& in, const Gradients<T>& g, const compute_of<T>* dstate, dim_t b, I c,
                            dim_t end, At<T, I> w) {
  using L = At<T, I>;
  const dim_t spans = in.seq.spans(), last = end < spans ? end : spans - 1, token = last * span;
  auto d = Element<L>::read(dstate, b * 3 * C + c, C);
  L pp = load(g.starts, ((b * spans + last) * 3 + 2) * C + c);
  if (end == spans) pp = Keys<C, L>(in.k, (b * in.seq.time + token) * C + c, in.seq.time - token, w, pp).pp;
  d.top = -pp;
  return d;
}

/// The gradient of a state (aa, bb, pp) from those of A and B.
template <class L>
[[gnu::always_inline]] RWKV_HD inline Element<L> gradient_before(const Element<L>& d, const Element<L>& state) {
  const auto at = d.on(-state.top);
  return {at.a, at.b, state.a * at.a + state.b * at.b};
}

/// Row (sequence, block), some spans a step, from the last. To write: the gradients, from what comes after the block;
/// parts (Batch, blocks, 2, C) add up. Else, for all blocks but the first of a group: the block alone. From group to
/// group dstate is the gradient of the state that the later one starts from.
template <bool Writes, class T, dim_t C>
struct Backward {
  using N = compute_of<T>;
  Blocks blocks;
  Inputs<T> in;
  Gradients<T> g;
  N *dstate, *parts, *carried;

  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    const auto [blocks, in, g, dstate, parts, carried] = *this;
    const dim_t count = Writes ? blocks.count : blocks.count - 1, b = row / count,
                block = row % count + (Writes ? 0 : 1);
    const dim_t first = blocks.begin(block), end = blocks.end(block) - step * per_step;
    const dim_t begin = first + per_step < end ? end - per_step : first;
    if (end <= begin) return;
    const auto channel = Channel<L>::read(in.time_decay, in.time_first, c);
    const auto slot = (b * blocks.count + block) * 3 * C + c, of_block = (b * blocks.count + block) * 2 * C + c;
    const auto start = [&](dim_t n) { return Element<L>::read(g.starts, (b * in.seq.spans() + n) * 3 * C + c, C); };
    Adjoint<L> d;
    if (step > 0 || (Writes && blocks.count > 1))
      d.sums = Element<L>::read(carried, slot, C);
    else if (Writes)
      d.sums = gradient_after<C>(in, g, dstate, b, c, end, channel.w);
    for (dim_t n = end; n-- > begin;)
      d = span_backward<Writes, C>(in, g, (b * in.seq.time + n * span) * C + c, blocks.tokens(n), channel, start(n), d);
    if (Writes) {
      store(parts, of_block, load(parts, of_block) + d.dw);
      store(parts, of_block + C, load(parts, of_block + C) + d.du);
    }
    if (Writes && block == 0 && begin == first) {
      gradient_before(d.sums, start(begin)).write(dstate, b * 3 * C + c, C);
    } else {
      d.sums.write(carried, slot, C);
    }
  }
};

/// From the blocks of a group alone to what comes after each.
template <class T, dim_t C>
struct CarryBackward {
  using N = compute_of<T>;
  Blocks blocks;
  Inputs<T> in;
  Gradients<T> g;
  const N* dstate;
  N* carried;

  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    const L w = Channel<L>::read(in.time_decay, in.time_first, c).w;
    auto d = gradient_after<C>(in, g, dstate, b, c, blocks.end(blocks.count - 1), w);
    for (dim_t block = blocks.count; block-- > 0;) {
      const auto slot = (b * blocks.count + block) * 3 * C + c;
      const auto own = Element<L>::read(carried, slot, C);
      d.write(carried, slot, C);
      d = d.then(own, w * N(blocks.tokens_of_block(block)));
    }
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

template <class B, dim_t C>
void backward(Scratch<B>& scratch, const Cut& cut, const Inputs<typename B::scalar>& in,
              const Gradients<typename B::scalar>& g, compute_of<typename B::scalar>* dtime_decay,
              compute_of<typename B::scalar>* dtime_first, compute_of<typename B::scalar>* dstate) {
  using T = typename B::scalar;
  const auto frame = scratch.frame();
  const dim_t batch = in.seq.batch, count = batch * cut.count;
  auto *const carried = scratch.accum(count * 3 * C), *const parts = scratch.accum(count * 2 * C);
  Accum<B>::fill(parts, count * 2 * C, 0);
  cut.for_groups(true, [&](const Blocks& blocks) {
    if (blocks.count > 1) {
      B::for_each_step(batch * (blocks.count - 1), C, blocks.steps(),
                       Backward<false, T, C>{blocks, in, g, dstate, parts, carried}, 4 * per_step);
      B::for_each(batch, C, CarryBackward<T, C>{blocks, in, g, dstate, carried});
    }
    B::for_each_step(batch * blocks.count, C, blocks.steps(),
                     Backward<true, T, C>{blocks, in, g, dstate, parts, carried}, 4 * per_step);
  });
  B::for_each(1, C, Parameters<T, C>{count, in, parts, dtime_decay, dtime_first});
}

}  // namespace rwkv::wkv4
