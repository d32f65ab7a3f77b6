#pragma once
#include <rwkv/ops/wkv4/channels.hpp>

// How time is cut into spans, blocks of spans and groups of blocks, and what is carried from block to block.
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

/// The elements on the way, in rows of a Past: what a group starts from (Batch, rows, C), and its blocks' own
/// (Batch, blocks, rows, C).
template <class T>
struct Wkv4Elements {
  T *carried, *blocks;
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

}  // namespace rwkv::detail
