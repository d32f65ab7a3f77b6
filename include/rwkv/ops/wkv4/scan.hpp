#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/wkv4/stretch.hpp>

// WKV-4 as an ordered scan over time (Blelloch 1990, "Prefix sums and their applications"): blocks of spans are reduced
// to one element each, the elements are carried along by Past::then, and every block then starts from what came before.
// Blocks come in groups, one group after the other, so that what the first pass has read the second finds in the cache.
namespace rwkv::detail {

/// Spans of a step: what is known of a channel is worked out once for all of them.
inline constexpr dim_t per_step = 4;

/// A group of blocks: `count` of them, of `length` spans, the first span of all being `first`.
struct Wkv4Blocks {
  Seq seq;
  dim_t first, length, count;
  RWKV_HD dim_t begin(dim_t block) const { return first + block * length; }
  RWKV_HD dim_t end(dim_t block) const {
    const dim_t end = first + (block + 1) * length, spans = seq.spans();
    return end < spans ? end : spans;
  }
  RWKV_HD dim_t steps() const { return (length + per_step - 1) / per_step; }
  RWKV_HD dim_t tokens(dim_t n) const {  // of span n
    const dim_t left = seq.time - n * span;
    return left < span ? left : span;
  }
};

/// Row (sequence, block but the last): what the block after it starts from, the block's own tokens alone; the first
/// block counts what came before as well. pasts (Batch, blocks, 3, C).
template <class T, dim_t C>
struct Wkv4Reduce {
  Wkv4Blocks blocks;
  Wkv4Inputs<T> in;
  const T* state;
  T* pasts;

  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    const auto [blocks, in, state, pasts] = *this;
    const dim_t b = row / (blocks.count - 1), block = row % (blocks.count - 1),
                n = blocks.begin(block) + step * per_step;
    const dim_t end = n + per_step < blocks.end(block) ? n + per_step : blocks.end(block);
    const L w = -math::exp(load(in.time_decay, c));
    const Fading<L> fade(w);
    const auto slot = (b * blocks.count + block + 1) * 3 * C + c;
    auto past = step > 0     ? Past<L>::read(pasts, slot, C)
                : block == 0 ? Past<L>::read(state, b * 3 * C + c, C)
                             : Past<L>::none();
    for (dim_t m = n; m < end; ++m)
      past = stretch_tokens<false, C>(in.k, in.v, static_cast<T*>(nullptr), (b * in.seq.time + m * span) * C + c,
                                      blocks.tokens(m), w, L{}, L{}, fade, past);
    past.write(pasts, slot, C);
  }
};

/// From the blocks alone to all before them.
template <class T, dim_t C>
struct Wkv4Carry {
  Wkv4Blocks blocks;
  const T *time_decay, *state;
  T* pasts;

  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    const L decay = -math::exp(load(time_decay, c)) * static_cast<T>(blocks.length * span);
    const Bounds<L> within(decay);
    auto slot = b * blocks.count * 3 * C + c;
    Past<L>::read(state, b * 3 * C + c, C).write(pasts, slot, C);
    if (blocks.count < 3) return;
    auto past = Past<L>::read(pasts, slot = slot + 3 * C, C);
    for (dim_t block = 2; block < blocks.count; ++block) {
      past = past.then(Past<L>::read(pasts, slot = slot + 3 * C, C), decay, within);
      past.write(pasts, slot, C);
    }
  }
};

/// Row (sequence, block): the outputs.
template <class T, dim_t C>
struct Wkv4Apply {
  Wkv4Blocks blocks;
  Wkv4Inputs<T> in;
  T *y, *state, *starts, *pasts;

  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    const auto [blocks, in, y, state, starts, pasts] = *this;
    const dim_t b = row / blocks.count, block = row % blocks.count, n = blocks.begin(block) + step * per_step;
    const dim_t end = n + per_step < blocks.end(block) ? n + per_step : blocks.end(block);
    const L w = -math::exp(load(in.time_decay, c)), u = load(in.time_first, c), bonus = math::exp(u);
    const Fading<L> fade(w);
    const auto slot = row * 3 * C + c;
    auto past = Past<L>::read(pasts, slot, C);
    for (dim_t m = n; m < end; ++m) {
      if (starts) past.write(starts, (b * in.seq.spans() + m) * 3 * C + c, C);
      past = stretch_tokens<true, C>(in.k, in.v, y, (b * in.seq.time + m * span) * C + c, blocks.tokens(m), w, u, bonus,
                                     fade, past);
    }
    past.write(pasts, slot, C);
    if (block == blocks.count - 1 && n < end && end == blocks.end(block)) past.write(state, b * 3 * C + c, C);
  }
};

/// Row (sequence, block but the first), spans from the last: what the block before it ends with, the block's own tokens
/// alone; the last block counts what comes after as well. ends (Batch, blocks, 3, C).
template <class T, dim_t C>
struct Wkv4ReduceBack {
  Wkv4Blocks blocks;
  Wkv4Inputs<T> in;
  Wkv4Gradients<T> g;
  const T* dstate;
  T* ends;

  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    const auto [blocks, in, g, dstate, ends] = *this;
    const dim_t b = row / (blocks.count - 1), block = row % (blocks.count - 1) + 1;
    const dim_t end = blocks.end(block) - step * per_step, begin = blocks.begin(block);
    if (end <= begin) return;
    const L w = -math::exp(load(in.time_decay, c)), u = load(in.time_first, c), bonus = math::exp(u);
    const Fading<L> fade(w);
    const auto slot = (b * blocks.count + block - 1) * 3 * C + c;
    auto past = step > 0                    ? Past<L>::read(ends, slot, C)
                : block == blocks.count - 1 ? Past<L>::read(dstate, b * 3 * C + c, C)
                                            : Past<L>::none();
    for (dim_t m = end; m-- > (end - per_step > begin ? end - per_step : begin);) {
      const auto start = Past<L>::read(g.starts, (b * in.seq.spans() + m) * 3 * C + c, C);
      past = stretch_back<false, C>(in, g, (b * in.seq.time + m * span) * C + c, blocks.tokens(m), w, u, bonus, fade,
                                    start, Adjoint<L>{past, L{}, L{}}, m == in.seq.spans() - 1)
                 .past;
    }
    past.write(ends, slot, C);
  }
};

template <class T, dim_t C>
struct Wkv4CarryBack {
  Wkv4Blocks blocks;
  const T *time_decay, *dstate;
  T* ends;

  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    const L decay = -math::exp(load(time_decay, c)) * static_cast<T>(blocks.length * span);
    const Bounds<L> within(decay);
    auto slot = (b * blocks.count + blocks.count - 1) * 3 * C + c;
    Past<L>::read(dstate, b * 3 * C + c, C).write(ends, slot, C);
    if (blocks.count < 3) return;
    auto past = Past<L>::read(ends, slot = slot - 3 * C, C);
    for (dim_t block = blocks.count - 2; block > 0; --block) {
      past = past.then(Past<L>::read(ends, slot = slot - 3 * C, C), decay, within);
      past.write(ends, slot, C);
    }
  }
};

/// Row (sequence, block), spans from the last: the gradients. sums (Batch, blocks, 2, C) add up over the groups.
template <class T, dim_t C>
struct Wkv4ApplyBack {
  Wkv4Blocks blocks;
  Wkv4Inputs<T> in;
  Wkv4Gradients<T> g;
  T *dstate, *ends, *sums;

  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    const auto [blocks, in, g, dstate, ends, sums] = *this;
    const dim_t b = row / blocks.count, block = row % blocks.count;
    const dim_t end = blocks.end(block) - step * per_step, begin = blocks.begin(block);
    if (end <= begin) return;
    const L w = -math::exp(load(in.time_decay, c)), u = load(in.time_first, c), bonus = math::exp(u);
    const Fading<L> fade(w);
    const auto slot = row * 3 * C + c, of_w = row * 2 * C + c, of_u = of_w + C;
    Adjoint<L> d{Past<L>::read(ends, slot, C), L{}, L{}};
    for (dim_t m = end; m-- > (end - per_step > begin ? end - per_step : begin);) {
      const auto start = Past<L>::read(g.starts, (b * in.seq.spans() + m) * 3 * C + c, C);
      d = stretch_back<true, C>(in, g, (b * in.seq.time + m * span) * C + c, blocks.tokens(m), w, u, bonus, fade, start,
                                d, m == in.seq.spans() - 1);
      if (m == blocks.first) {
        auto before = d.past;
        if (m == 0) before.pp = start.aa * before.aa + start.bb * before.bb;
        before.write(dstate, b * 3 * C + c, C);
      }
    }
    store(sums, of_w, load(sums, of_w) + d.dw), store(sums, of_u, load(sums, of_u) + d.du);
    d.past.write(ends, slot, C);
  }
};

/// How time is cut, by shapes alone, since results must not depend on the threads. Measured on 2 cores: from 64 columns
/// on one block is faster, as nothing is read twice; below, 8 blocks, the longer the better while there are 8.
struct Wkv4Cut {
  dim_t length, count;  // spans in a block, blocks in a group
  Wkv4Cut(Seq seq, dim_t columns) : length(seq.spans()), count(1) {
    if (seq.batch * columns >= 64) return;
    length = length < 8 * per_step ? per_step : length < 8 * 32 ? length / (8 * per_step) * per_step : 32;
    count = 8;
  }
};

template <class F>
void for_groups(Wkv4Cut cut, Seq seq, bool backwards, const F& f) {
  const dim_t spans = seq.spans(), size = cut.length * cut.count, groups = (spans + size - 1) / size;
  for (dim_t i = 0; i < groups; ++i) {
    const dim_t first = (backwards ? groups - 1 - i : i) * size, left = spans - first;
    const dim_t blocks = ((left < size ? left : size) + cut.length - 1) / cut.length;
    f(Wkv4Blocks{seq, first, cut.length < left ? cut.length : left, blocks});
  }
}

template <class B, dim_t C>
void wkv4_scan(rwkv::Scratch<B>& scratch, const Wkv4Inputs<typename B::scalar>& in, typename B::scalar* y,
               typename B::scalar* state, typename B::scalar* starts) {
  using T = typename B::scalar;
  const Wkv4Cut cut(in.seq, C);
  const auto frame = scratch.frame();
  const dim_t batch = in.seq.batch;
  T* pasts = scratch.take(batch * cut.count * 3 * C);
  for_groups(cut, in.seq, false, [&](const Wkv4Blocks& blocks) {
    B::walk(batch * (blocks.count - 1), C, blocks.steps(), Wkv4Reduce<T, C>{blocks, in, state, pasts}, 4 * per_step);
    B::for_each(batch, C, Wkv4Carry<T, C>{blocks, in.time_decay, state, pasts});
    B::walk(batch * blocks.count, C, blocks.steps(), Wkv4Apply<T, C>{blocks, in, y, state, starts, pasts},
            4 * per_step);
  });
}

template <class B, dim_t C>
void wkv4_scan_back(rwkv::Scratch<B>& scratch, const Wkv4Inputs<typename B::scalar>& in,
                    const Wkv4Gradients<typename B::scalar>& g, typename B::scalar* dstate,
                    typename B::scalar* dtime_decay, typename B::scalar* dtime_first) {
  using T = typename B::scalar;
  const Wkv4Cut cut(in.seq, C);
  const auto frame = scratch.frame();
  const dim_t batch = in.seq.batch, parts = batch * cut.count;
  T *ends = scratch.take(parts * 3 * C), *sums = scratch.take(parts * 2 * C);
  B::fill(sums, parts * 2 * C, 0);
  for_groups(cut, in.seq, true, [&](const Wkv4Blocks& blocks) {
    B::walk(batch * (blocks.count - 1), C, blocks.steps(), Wkv4ReduceBack<T, C>{blocks, in, g, dstate, ends},
            4 * per_step);
    B::for_each(batch, C, Wkv4CarryBack<T, C>{blocks, in.time_decay, dstate, ends});
    B::walk(batch * blocks.count, C, blocks.steps(), Wkv4ApplyBack<T, C>{blocks, in, g, dstate, ends, sums},
            4 * per_step);
  });
  B::for_each(1, C, Wkv4Parameters<T, C>{parts, in.time_decay, sums, dtime_decay, dtime_first});
}

}  // namespace rwkv::detail
