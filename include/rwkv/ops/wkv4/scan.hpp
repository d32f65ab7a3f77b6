#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/wkv4/stretch.hpp>

// WKV-4 as an ordered scan over time (Blelloch 1990, "Prefix sums and their applications"): blocks of spans are reduced
// to one element each, the elements are carried along by Past::then, and every block then starts from what came
// before. Blocks come in groups, one group after the other, so that what the first pass has read the second finds in
// the cache. One block at a time is the plain recurrence.
namespace rwkv::detail {

/// Spans of a step: what is known of a channel is read once for all of them.
inline constexpr dim_t per_step = 4;

/// A group of blocks: `count` of them, of `length` spans, the first span of all being `first`.
struct Wkv4Blocks {
  Seq seq;
  dim_t first, length, count;
  bool stepwise;  // token after token
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

/// The elements on the way, in rows of a Past: what a group starts from (Batch, rows, C), and its blocks' own
/// (Batch, blocks, rows, C).
template <class T>
struct Wkv4Elements {
  T *carried, *blocks;
};

/// From the state to what the first group starts from.
template <class T, dim_t C>
struct Wkv4Enter {
  const T* state;
  T* carried;
  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    Past<L>::read_sums(state, b * 3 * C + c, C).enter().write(carried, b * Past<L>::rows * C + c, C);
  }
};
/// From what the last group ends with to the state.
template <class T, dim_t C>
struct Wkv4Leave {
  const T* carried;
  T* state;
  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    Past<L>::read(carried, b * Past<L>::rows * C + c, C).leave().write_sums(state, b * 3 * C + c, C);
  }
};

/// Row (sequence, block), spans in order. To write: the outputs, from what came before the block. Else, for all blocks
/// but the last: the block alone, the first with what came before.
template <bool Writes, class T, dim_t C>
struct Wkv4Forward {
  Wkv4Blocks blocks;
  Wkv4Inputs<T> in;
  T* y;
  compute_of<T>* starts;
  Wkv4Elements<compute_of<T>> elements;

  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    const auto [blocks, in, y, starts, elements] = *this;  // no store can change a local copy
    const dim_t count = Writes ? blocks.count : blocks.count - 1, b = row / count, block = row % count;
    const dim_t n = blocks.begin(block) + step * per_step;
    const dim_t end = n + per_step < blocks.end(block) ? n + per_step : blocks.end(block);
    if (n >= end) return;
    const auto channel = Channel<L>::read(in.channels, c, C);
    const auto slot = (b * blocks.count + block) * Past<L>::rows * C + c, whole = b * Past<L>::rows * C + c;
    auto past = Writes || step > 0 ? Past<L>::read(elements.blocks, slot, C)
                : block == 0       ? Past<L>::read(elements.carried, whole, C)
                                   : Past<L>::none();
    for (dim_t m = n; m < end; ++m) {
      const auto i = (b * in.seq.time + m * span) * C + c;
      const dim_t tokens = blocks.tokens(m);
      if (Writes && starts) past.write_sums(starts, (b * in.seq.spans() + m) * 3 * C + c, C);
      past = blocks.stepwise ? walk_tokens<Writes, C>(in, y, i, tokens, channel, past)
                             : stretch_tokens<Writes, C>(in, y, c, i, tokens, channel, past);
    }
    past.write(elements.blocks, slot, C);
    if (Writes && block == blocks.count - 1 && end == blocks.end(block)) past.write(elements.carried, whole, C);
  }
};

/// From the blocks alone to all before them, in the order they are met.
template <class T, dim_t C>
struct Wkv4Carry {
  Wkv4Blocks blocks;
  const T* channels;
  Wkv4Elements<T> elements;
  bool backwards;

  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    const auto decay = Channel<L>::read(channels, c, C).block;
    auto past = Past<L>::read(elements.carried, b * Past<L>::rows * C + c, C);
    for (dim_t i = 0; i < blocks.count; ++i) {
      const dim_t block = backwards ? blocks.count - 1 - i : i;
      const auto slot = (b * blocks.count + block) * Past<L>::rows * C + c;
      const auto own = Past<L>::read(elements.blocks, slot, C);
      past.write(elements.blocks, slot, C);
      past = i == 0 ? own : past.then(own, decay);  // the first knows what came before
    }
  }
};

/// From the gradient of the last state, on whose scale e^pp it is, to what the last group starts from.
template <class T, dim_t C>
struct Wkv4EnterBack {
  Wkv4Inputs<T> in;
  const compute_of<T>*starts, *dstate;
  compute_of<T>* carried;
  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    const auto channel = Channel<L>::read(in.channels, c, C);
    const dim_t last = in.seq.spans() - 1, tokens = in.seq.time - last * span;
    const L start = load(starts, (b * in.seq.spans() + last) * 3 * C + 2 * C + c);
    const KeyRange<C, L> range(in.k, (b * in.seq.time + last * span) * C + c, tokens, channel.token.log, start);
    auto d = Past<L>::read_sums(dstate, b * 3 * C + c, C);
    d.pp = -range.pp;
    d.enter().write(carried, b * Past<L>::rows * C + c, C);
  }
};
/// To the gradient of the first state; that of its pp follows from the others.
template <class T, dim_t C>
struct Wkv4LeaveBack {
  Seq seq;
  const T *starts, *carried;
  T* dstate;
  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<T, decltype(c)>;
    const auto start = Past<L>::read_sums(starts, b * seq.spans() * 3 * C + c, C);
    const auto d = Past<L>::read(carried, b * Past<L>::rows * C + c, C);
    const L leave = power(whole_exponent(d.pp) + whole_exponent(start.pp)), m = mantissa(start.pp);
    const L daa = leave * d.aa, dbb = leave * d.bb;
    Past<L>{m * daa, m * dbb, start.aa * daa + start.bb * dbb}.write_sums(dstate, b * 3 * C + c, C);
  }
};

/// Row (sequence, block), spans from the last. To write: the gradients, from what comes after the block; sums (Batch,
/// blocks, 4, C) add up over the groups, with what rounding took. Else, for all blocks but the first: the block alone,
/// the last with what comes after.
template <bool Writes, class T, dim_t C>
struct Wkv4Backward {
  Wkv4Blocks blocks;
  Wkv4Inputs<T> in;
  Wkv4Gradients<T> g;
  compute_of<T>* sums;
  Wkv4Elements<compute_of<T>> elements;

  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    using L = At<T, decltype(c)>;
    const auto [blocks, in, g, sums, elements] = *this;
    const dim_t count = Writes ? blocks.count : blocks.count - 1, b = row / count,
                block = row % count + (Writes ? 0 : 1);
    const dim_t end = blocks.end(block) - step * per_step, begin = blocks.begin(block);
    if (end <= begin) return;
    const auto channel = Channel<L>::read(in.channels, c, C);
    const auto slot = (b * blocks.count + block) * Past<L>::rows * C + c, whole = b * Past<L>::rows * C + c;
    auto d = Writes || step > 0          ? Past<L>::read(elements.blocks, slot, C)
             : block == blocks.count - 1 ? Past<L>::read(elements.carried, whole, C)
                                         : Past<L>::none();
    L dw{}, du{};
    dim_t m = end;
    while (m-- > begin && m + per_step >= end) {
      const auto i = (b * in.seq.time + m * span) * C + c;
      const dim_t tokens = blocks.tokens(m);
      const auto start = Past<L>::read_sums(g.starts, (b * in.seq.spans() + m) * 3 * C + c, C);
      const auto more = blocks.stepwise ? walk_back<Writes, C>(in, g, i, tokens, channel, start, d)
                                        : stretch_back<Writes, C>(in, g, c, i, tokens, channel, start, d);
      d = more.past;
      dw = dw + more.dw, du = du + more.du;
    }
    d.write(elements.blocks, slot, C);
    if constexpr (Writes) {
      const auto of_w = (b * blocks.count + block) * 4 * C + c;
      const TwoSum<L> w(load(sums, of_w), dw), u(load(sums, of_w + C), du);
      store(sums, of_w, w.sum), store(sums, of_w + C, u.sum);
      store(sums, of_w + 2 * C, load(sums, of_w + 2 * C) + w.low);
      store(sums, of_w + 3 * C, load(sums, of_w + 3 * C) + u.low);
      if (block == 0 && end - per_step <= begin) d.write(elements.carried, whole, C);
    }
  }
};

/// The gradients of a layer: sums over its sequences, or parts of them, the first to the last.
template <class T, dim_t C>
struct Wkv4Parameters {
  dim_t parts;
  const T *channels, *sums;
  T *dtime_decay, *dtime_first;

  RWKV_HD void operator()(dim_t, auto c) const {
    using L = At<T, decltype(c)>;
    const auto all = [&](dim_t row) {
      L sum{}, low{};
      for (dim_t part = 0; part < parts; ++part) {
        const auto i = (part * 4 + row) * C + c;
        const TwoSum<L> next(sum, load(sums, i));
        sum = next.sum, low = low + (next.low + load(sums, i + 2 * C));
      }
      return sum + low;
    };
    const L w = Channel<L>::read(channels, c, C).token.log;
    store(dtime_decay, c, load(dtime_decay, c) + w * all(0));  // dw/dtime_decay = w
    store(dtime_first, c, load(dtime_first, c) + all(1));
  }
};

/// How time is cut, by shapes alone, since results must not depend on the threads. Measured on 2 cores: from 64 columns
/// on one block is faster, as nothing is read twice; below, 8 blocks, the longer the better while there are 8.
struct Wkv4Cut {
  Seq seq;
  dim_t length, count;  // spans in a block, blocks in a group
  bool stepwise;
  Wkv4Cut(Seq s, dim_t C, bool one_block, bool by_step) : seq(s), length(s.spans()), count(1), stepwise(by_step) {
    if (one_block || seq.batch * C >= 64) return;
    length = length < 8 * per_step ? per_step : length < 8 * 32 ? length / (8 * per_step) * per_step : 32;
    count = 8;
  }
  /// f(blocks) for every group, in order or from the last.
  template <class F>
  void for_groups(bool backwards, const F& f) const {
    const dim_t spans = seq.spans(), size = length * count, groups = (spans + size - 1) / size;
    for (dim_t i = 0; i < groups; ++i) {
      const dim_t first = (backwards ? groups - 1 - i : i) * size, left = spans - first;
      const dim_t blocks = ((left < size ? left : size) + length - 1) / length;
      f(Wkv4Blocks{seq, first, length < left ? length : left, blocks, stepwise});
    }
  }
};

/// What both directions need: the channels' rows and the elements on the way.
template <class B, dim_t C>
struct Wkv4Scratch {
  using T = typename B::scalar;
  using N = compute_of<T>;
  static constexpr dim_t rows = Past<N>::rows;
  N *channels, *fades;
  Wkv4Elements<N> elements;
  Wkv4Scratch(rwkv::Scratch<B>& scratch, const Wkv4Cut& cut, const T* time_decay, const T* time_first)
      : channels(scratch.full(Channel<N>::rows * C)), fades(cut.stepwise ? nullptr : scratch.full((span + 1) * C)) {
    const dim_t batch = cut.seq.batch, longest = cut.seq.time < span ? cut.seq.time : span;
    elements.carried = scratch.full(batch * rows * C);
    elements.blocks = cut.count == 1 ? elements.carried : scratch.full(batch * cut.count * rows * C);
    const dim_t tail = cut.seq.time - (cut.seq.spans() - 1) * span;
    B::for_each(1, C,
                Wkv4Channels<T, C>{tail, cut.length * span, longest < 3 ? 3 : longest, time_decay, time_first, channels,
                                   fades});
  }
};

template <class B, dim_t C>
void wkv4_scan(rwkv::Scratch<B>& scratch, const Wkv4Cut& cut, const typename B::scalar* time_decay,
               const typename B::scalar* time_first, const typename B::scalar* k, const typename B::scalar* v,
               typename B::scalar* y, compute_of<typename B::scalar>* state, compute_of<typename B::scalar>* starts) {
  using T = typename B::scalar;
  using N = compute_of<T>;
  const auto frame = scratch.frame();
  const Wkv4Scratch<B, C> own(scratch, cut, time_decay, time_first);
  const Wkv4Inputs<T> in{cut.seq, time_first, own.channels, own.fades, k, v};
  const dim_t batch = cut.seq.batch;
  B::for_each(batch, C, Wkv4Enter<N, C>{state, own.elements.carried});
  cut.for_groups(false, [&](const Wkv4Blocks& blocks) {
    if (cut.count > 1) {
      B::walk(batch * (blocks.count - 1), C, blocks.steps(),
              Wkv4Forward<false, T, C>{blocks, in, y, starts, own.elements}, 4 * per_step);
      B::for_each(batch, C, Wkv4Carry<N, C>{blocks, own.channels, own.elements, false});
    }
    B::walk(batch * blocks.count, C, blocks.steps(), Wkv4Forward<true, T, C>{blocks, in, y, starts, own.elements},
            4 * per_step);
  });
  B::for_each(batch, C, Wkv4Leave<N, C>{own.elements.carried, state});
}

template <class B, dim_t C>
void wkv4_scan_back(rwkv::Scratch<B>& scratch, const Wkv4Cut& cut, const typename B::scalar* time_decay,
                    const typename B::scalar* time_first, const typename B::scalar* k, const typename B::scalar* v,
                    const Wkv4Gradients<typename B::scalar>& g, compute_of<typename B::scalar>* dstate,
                    compute_of<typename B::scalar>* dtime_decay, compute_of<typename B::scalar>* dtime_first) {
  using T = typename B::scalar;
  using N = compute_of<T>;
  const auto frame = scratch.frame();
  const Wkv4Scratch<B, C> own(scratch, cut, time_decay, time_first);
  const Wkv4Inputs<T> in{cut.seq, time_first, own.channels, own.fades, k, v};
  const dim_t batch = cut.seq.batch, parts = batch * cut.count;
  N* sums = scratch.full(parts * 4 * C);
  Full<B>::fill(sums, parts * 4 * C, 0);
  B::for_each(batch, C, Wkv4EnterBack<T, C>{in, g.starts, dstate, own.elements.carried});
  cut.for_groups(true, [&](const Wkv4Blocks& blocks) {
    if (cut.count > 1) {
      B::walk(batch * (blocks.count - 1), C, blocks.steps(),
              Wkv4Backward<false, T, C>{blocks, in, g, sums, own.elements}, 4 * per_step);
      B::for_each(batch, C, Wkv4Carry<N, C>{blocks, own.channels, own.elements, true});
    }
    B::walk(batch * blocks.count, C, blocks.steps(), Wkv4Backward<true, T, C>{blocks, in, g, sums, own.elements},
            4 * per_step);
  });
  B::for_each(batch, C, Wkv4LeaveBack<N, C>{cut.seq, g.starts, own.elements.carried, dstate});
  B::for_each(1, C, Wkv4Parameters<N, C>{parts, own.channels, sums, dtime_decay, dtime_first});
}

}  // namespace rwkv::detail
