#pragma once
#include <rwkv/ops/wkv4/blocks.hpp>
#include <rwkv/ops/wkv4/stretch.hpp>

// The scan's kernels from the last token to the first.
namespace rwkv::detail {

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

}  // namespace rwkv::detail
