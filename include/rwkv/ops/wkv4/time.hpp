#pragma once
#include <rwkv/core/shape.hpp>

// How time is cut into spans, blocks of spans and groups of blocks: an ordered scan (Blelloch 1990, "Prefix sums and
// their applications"). The blocks of a group are reduced to one element each, the elements are carried along by the
// operator, and every block then starts from what came before. Groups follow one another, so that what the first pass
// has read the second finds in the cache. One block alone is the plain recurrence.
namespace rwkv::wkv4 {

/// Spans of a step: what is known of a channel is worked out once for all of them.
inline constexpr dim_t per_step = 4;

/// A group of blocks: `count` of them, of `length` spans, the first span of all being `first`.
struct Blocks {
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
  RWKV_HD dim_t tokens_of_block(dim_t block) const {
    const dim_t end_token = end(block) * span;
    return (end_token < seq.time ? end_token : seq.time) - begin(block) * span;
  }
};

/// How time is cut, by shapes alone, since results must not depend on the threads. Measured on 2 cores: from 64 columns
/// on one block is faster, as nothing is read twice; below, 8 blocks, the longer the better while there are 8.
struct Cut {
  Seq seq;
  dim_t length, count;  // spans in a block, blocks in a group
  Cut(Seq s, dim_t C, bool one_block) : seq(s), length(s.spans()), count(1) {
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
      f(Blocks{seq, first, length < left ? length : left, blocks});
    }
  }
};

}  // namespace rwkv::wkv4
