#pragma once
#include <cstdint>
#include <utility>

#include <rwkv/text/minibatch.hpp>

namespace rwkv {

/// The corpus cut into `batch` streams of equal length, one per row, read from front to back: each step is the next
/// `time` tokens of every stream, so the state can be carried over; after the last whole step all start again.
class ContiguousBatches : public CorpusBatches<ContiguousBatches> {
 public:
  /// Throws Error if the corpus is shorter than one step, batch * (time + 1) tokens. Nothing here is random: the third
  /// argument is there so that ContiguousBatches can stand where RandomWindows does.
  ContiguousBatches(Corpus corpus, Seq seq, std::uint64_t = 0)
      : CorpusBatches(std::move(corpus), seq, seq.batch),
        length_(this->corpus().size() / seq.batch),
        steps_per_pass_((length_ - 1) / seq.time) {}

  /// Steps until it starts again. What is left, less than `time` tokens of each stream, is not read.
  dim_t steps_per_pass() const { return steps_per_pass_; }

  void fill(dim_t step, Minibatch& batch) const {
    prepare(step, batch);
    const dim_t within = step % steps_per_pass_;
    batch.continues = within > 0;
    for (dim_t b = 0; b < seq().batch; ++b) set_row(batch, b, b * length_ + within * seq().time);
  }

 private:
  dim_t length_;  // tokens of a stream
  dim_t steps_per_pass_;
};

}  // namespace rwkv
