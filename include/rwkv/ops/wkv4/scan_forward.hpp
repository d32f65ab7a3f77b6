#pragma once
#include <rwkv/ops/wkv4/blocks.hpp>
#include <rwkv/ops/wkv4/stretch.hpp>

// The scan's kernels from the first token to the last.
namespace rwkv::detail {

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

}  // namespace rwkv::detail
