#pragma once
#include <type_traits>

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
/// The same as a constant: what it rules out is not compiled.
template <OverTime How>
using OverTimeIs = std::integral_constant<OverTime, How>;

namespace wkv4 {
/// Spans of a step: what is known of a channel is worked out once for all of them.
inline constexpr dim_t per_step = 4;

/// A group of blocks: `count` of them, of `length` spans, the first span of all being `first`.
struct Blocks {
  Seq seq;
  dim_t first, length, count;
  RWKV_HD dim_t begin(dim_t block) const { return first + block * length; }
  RWKV_HD dim_t end(dim_t block) const { return math::min(begin(block + 1), seq.spans()); }
  RWKV_HD dim_t tokens(dim_t block) const { return math::min(end(block) * span, seq.time) - begin(block) * span; }
};

inline constexpr dim_t many_columns = 64;

/// How time is cut, by shapes alone, since results must not depend on the threads. Measured on 2 cores: below 1024
/// tokens or from 64 columns on one block is faster, as nothing is read twice; else 8 blocks, the longer the better.
struct Cut {
  dim_t length, count = 1;  // spans in a block, blocks in a group
  Cut(OverTime how, Seq s, dim_t C) : length(s.spans()) {
    if (how == OverTime::sequential || (how == OverTime::automatic && s.time < 1024) || s.batch * C >= many_columns)
      return;
    length = length < 8 * per_step ? per_step : length < 8 * 32 ? length / (8 * per_step) * per_step : 32;
    count = 8;
  }
};
/// Whether there may be several blocks. How is OverTime, or one as a constant.
template <class How>
constexpr bool may_cut(dim_t C) {
  if constexpr (std::is_same_v<How, OverTime>)
    return true;
  else
    return How::value == OverTime::scan || (How::value == OverTime::automatic && C < many_columns);
}

/// A Pass goes `over` the spans in order, or `backwards`. It `enter`s with what comes before a group and `leave`s with
/// what comes after.
template <bool Writes, class Pass>
struct OverBlocks {
  static constexpr bool back = Pass::backwards;
  static constexpr dim_t C = Pass::width, row_length = C;
  Blocks blocks;
  Pass pass;
  typename Pass::Number* carried;  // (batch, blocks, 3, C)

  /// Row (sequence, block), some spans a step. To write: all, from what comes before the block. Else: the block alone,
  /// for all blocks but the last that is met.
  RWKV_HD void operator()(dim_t row, auto c, dim_t step) const {
    const auto [parts, each, kept] = *this;  // no store can change a local copy
    const dim_t count = Writes ? parts.count : parts.count - 1, b = row / count;
    const dim_t block = row % count + (back && !Writes ? 1 : 0), slot = b * parts.count + block;
    const dim_t begin = parts.begin(block), end = parts.end(block);
    const dim_t from = step * per_step, to = math::min(end - begin, from + per_step);
    if (from >= to) return;
    using L = At<typename Pass::Number, decltype(c)>;
    const auto channel = Channel<L>::read(each.in.time_decay, each.in.time_first, c);
    Element<L> x;
    if (step > 0 || (Writes && parts.count > 1))
      x = Element<L>::read(kept, slot * 3 * C + c, C);
    else if (Writes)
      x = each.enter(channel, b, c, back ? end : begin);
    for (dim_t n = from; n < to; ++n)
      x = each.template over<Writes>(channel, x, b, c, back ? end - 1 - n : begin + n, slot);
    if (Writes && to == end - begin && block == (back ? 0 : count - 1))
      each.leave(x, b, c, begin);
    else
      x.write(kept, slot * 3 * C + c, C);
  }
  /// From the blocks alone to what comes before each.
  RWKV_HD void operator()(dim_t b, auto c) const {
    using L = At<typename Pass::Number, decltype(c)>;
    const auto channel = Channel<L>::read(pass.in.time_decay, pass.in.time_first, c);
    auto x = pass.enter(channel, b, c, back ? blocks.end(blocks.count - 1) : blocks.begin(0));
    for (dim_t n = 0; n < blocks.count; ++n) {
      const dim_t block = back ? blocks.count - 1 - n : n;
      const auto i = (b * blocks.count + block) * 3 * C + c;
      const auto own = Element<L>::read(carried, i, C);
      x.write(carried, i, C);
      x = x.then(own, channel.w * scalar_of<L>(blocks.tokens(block)));
    }
  }
};

template <class How, class B, class Pass>
void over_time(Scratch<B>& scratch, const Cut& cut, const Pass& pass) {
  constexpr dim_t C = Pass::width;
  const auto frame = scratch.frame();
  const Seq seq = pass.in.seq;
  const dim_t batch = seq.batch, spans = seq.spans(), size = cut.length * cut.count, groups = (spans + size - 1) / size;
  const dim_t weight = math::min(seq.time, per_step * span) / 8 + 1;
  auto* const carried = scratch.accum(batch * cut.count * 3 * C);
  for (dim_t i = 0; i < groups; ++i) {
    const dim_t first = (Pass::backwards ? groups - 1 - i : i) * size, left = math::min(size, spans - first);
    const dim_t length = math::min(cut.length, left), steps = (length + per_step - 1) / per_step;
    const Blocks blocks{seq, first, length, (left + length - 1) / length};
    if constexpr (may_cut<How>(C))
      if (blocks.count > 1) {
        const OverBlocks<false, Pass> alone{blocks, pass, carried};
        B::for_each_step(batch * (blocks.count - 1), C, steps, alone, weight);
        B::for_each(batch, C, alone);
      }
    B::for_each_step(batch * blocks.count, C, steps, OverBlocks<true, Pass>{blocks, pass, carried}, weight);
  }
}

}  // namespace wkv4
}  // namespace rwkv
