#pragma once
#include <cstdint>
#include <utility>

#include <rwkv/text/corpus_batches.hpp>

namespace rwkv {

/// The corpus cut into `batch` parts of equal length, one per row, read from front to back: each step is the next
/// `time` tokens of every part, so that the state can be carried over. After the last whole step all parts start again.
class ContiguousBatches : public CorpusBatches<ContiguousBatches> {
 public:
  /// Error if the corpus is shorter than one step, batch * (time + 1) tokens. The third argument, a seed, is ignored;
  /// it lets generic code make RandomWindows or ContiguousBatches alike.
  ContiguousBatches(Corpus corpus, Seq seq, std::uint64_t = 0)
      : CorpusBatches(std::move(corpus), seq, seq.batch),
        length_(this->corpus().size() / seq.batch),
        steps_per_pass_((length_ - 1) / seq.time) {}

  /// Steps until all parts start again. The rest of each part, fewer than `time` tokens, is not read.
  dim_t steps_per_pass() const { return steps_per_pass_; }

  /// What decides the batches: see run_identity. Reads the whole corpus.
  [[gnu::cold]] Settings settings() const { return {{"batches", "contiguous"}, {"text", identity_of(corpus())}}; }

  void fill(dim_t step, Minibatch& batch) const { fill(step, batch, 0, seq().batch); }
  /// Rows first .. first + rows - 1 of that batch.
  void fill(dim_t step, Minibatch& batch, dim_t first, dim_t rows) const {
    prepare(step, rows, batch);
    const dim_t within = step % steps_per_pass_;
    batch.continues = within > 0;
    for (dim_t b = 0; b < rows; ++b) set_row(batch, b, (first + b) * length_ + within * seq().time);
  }

 private:
  dim_t length_;  // tokens of a part
  dim_t steps_per_pass_;
};

}  // namespace rwkv
