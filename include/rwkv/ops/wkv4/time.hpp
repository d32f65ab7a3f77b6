#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/wkv4/element.hpp>

// A recurrence over time as an ordered scan (Blelloch 1990, "Prefix sums and their applications"). Time is cut into
// spans and blocks of spans. The blocks of a group are reduced to one element each, the elements are carried along by
// the operator, and every block then starts from what came before. Groups follow one another, so that what the first
// pass has read the second finds in the cache. One block alone is the plain recurrence.
namespace rwkv {

/// How a recurrence goes over time. They differ by rounding alone.
enum class OverTime {
  automatic,   ///< whichever is the faster for these sizes, as measured
  sequential,  ///< span after span, channels side by side
  scan         ///< blocks of time side by side where channels are few
};

}  // namespace rwkv

namespace rwkv::wkv4 {

/// Spans of a step: what is known of a channel is worked out once for all of them.
inline constexpr dim_t per_step = 4;

/// A group of blocks: `count` of them, of `length` spans, the first span of all being `first`.
struct Blocks {
  Seq seq;
  dim_t first, length, count;
  RWKV_HD static dim_t least(dim_t a, dim_t b) { return a < b ? a : b; }
  RWKV_HD dim_t begin(dim_t block) const { return first + block * length; }
  RWKV_HD dim_t end(dim_t block) const { return least(begin(block + 1), seq.spans()); }
  RWKV_HD dim_t tokens(dim_t block) const { return least(end(block) * span, seq.time) - begin(block) * span; }
};

/// How time is cut, by shapes alone, since results must not depend on the threads. Measured on 2 cores: below
/// 1024 tokens, or from 64 columns on, one block is faster, as nothing is read twice; else 8 blocks, the longer the
/// better while there are 8.
struct Cut {
  Seq seq;
  dim_t length, count = 1;  // spans in a block, blocks in a group
  Cut(OverTime how, Seq s, dim_t C) : seq(s), length(s.spans()) {
    if (how == OverTime::sequential || (how == OverTime::automatic && s.time < 1024) || s.batch * C >= 64) return;
    length = length < 8 * per_step ? per_step : length < 8 * 32 ? length / (8 * per_step) * per_step : 32;
    count = 8;
  }
};

/// Row (sequence, block), some spans a step. To write: all, from what comes before the block. Else: the block alone,
/// for all blocks but the last that is met.
///
/// A Pass goes `over` the spans in order, or `backwards`. It `enter`s with what comes before a group and `leave`s with
/// what comes after; slot says which block of all it is in.
template <bool Writes, class Pass>
struct Step {
  Blocks blocks;
  Pass pass;
  typename Pass::Number* carried;

  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    const auto [blocks, pass, carried] = *this;  // no store can change a local copy
    constexpr bool back = Pass::backwards;
    const dim_t count = Writes ? blocks.count : blocks.count - 1, b = row / count;
    const dim_t block = row % count + (back && !Writes ? 1 : 0), slot = b * blocks.count + block;
    const dim_t spans = blocks.end(block) - blocks.begin(block), done = step * per_step;
    const dim_t n = Blocks::least(spans - done, per_step);
    if (n <= 0) return;
    using L = At<typename Pass::Number, decltype(c)>;
    const auto i = slot * 3 * Pass::width + c;
    const auto channel = Channel<L>::read(pass.in.time_decay, pass.in.time_first, c);
    Element<L> x;
    if (step > 0 || (Writes && blocks.count > 1))
      x = Element<L>::read(carried, i, Pass::width);
    else if (Writes)
      x = pass.enter(channel, b, c, back ? blocks.end(block) : blocks.begin(block));
    for (dim_t j = done; j < done + n; ++j)
      x = pass.template over<Writes>(channel, x, b, c, back ? blocks.end(block) - 1 - j : blocks.begin(block) + j,
                                     slot);
    if (Writes && done + n == spans && block == (back ? 0 : count - 1))
      pass.leave(x, b, c, blocks.begin(block));
    else
      x.write(carried, i, Pass::width);
  }
};

/// From the blocks alone to what comes before each.
template <class Pass>
struct Carry {
  Blocks blocks;
  Pass pass;
  typename Pass::Number* carried;

  RWKV_HD void operator()(dim_t b, auto c) const {
    constexpr bool back = Pass::backwards;
    using L = At<typename Pass::Number, decltype(c)>;
    const auto channel = Channel<L>::read(pass.in.time_decay, pass.in.time_first, c);
    auto x = pass.enter(channel, b, c, back ? blocks.end(blocks.count - 1) : blocks.begin(0));
    for (dim_t n = 0; n < blocks.count; ++n) {
      const dim_t block = back ? blocks.count - 1 - n : n;
      const auto i = (b * blocks.count + block) * 3 * Pass::width + c;
      const auto own = Element<L>::read(carried, i, Pass::width);
      x.write(carried, i, Pass::width);
      x = x.then(own, channel.w * typename Pass::Number(blocks.tokens(block)));
    }
  }
};

template <class B, class Pass>
void over_time(Scratch<B>& scratch, const Cut& cut, const Pass& pass) {
  constexpr dim_t C = Pass::width;
  const auto frame = scratch.frame();
  const dim_t batch = cut.seq.batch, spans = cut.seq.spans(), size = cut.length * cut.count;
  const dim_t groups = (spans + size - 1) / size, weight = Blocks::least(cut.seq.time, per_step * span) / 8 + 1;
  auto* const carried = scratch.accum(batch * cut.count * 3 * C);
  for (dim_t i = 0; i < groups; ++i) {
    const dim_t first = (Pass::backwards ? groups - 1 - i : i) * size, left = Blocks::least(size, spans - first);
    const dim_t length = Blocks::least(cut.length, left), steps = (length + per_step - 1) / per_step;
    const dim_t count = (left + length - 1) / length;
    const Blocks blocks{cut.seq, first, length, count};
    if (count > 1) {
      B::for_each_step(batch * (count - 1), C, steps, Step<false, Pass>{blocks, pass, carried}, weight);
      B::for_each(batch, C, Carry<Pass>{blocks, pass, carried});
    }
    B::for_each_step(batch * count, C, steps, Step<true, Pass>{blocks, pass, carried}, weight);
  }
}

}  // namespace rwkv::wkv4
