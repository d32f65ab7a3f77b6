#pragma once
#include <cstdint>
#include <utility>

#include <rwkv/core/random.hpp>
#include <rwkv/text/corpus_batches.hpp>

namespace rwkv {

/// Random windows of a corpus: every start is equally likely, and that of row b in step s depends on (seed, s, b)
/// alone.
class RandomWindows : public CorpusBatches<RandomWindows> {
 public:
  /// Error if the corpus is shorter than one window, time + 1 tokens.
  RandomWindows(Corpus corpus, Seq seq, std::uint64_t seed = 0)
      : CorpusBatches(std::move(corpus), seq, 1), random_(Random{seed}.named("windows")) {}

  /// What decides the batches: see run_identity. Reads the whole corpus.
  [[gnu::cold]] Settings settings() const {
    return {{"batches", "random windows"}, {"seed", std::to_string(random_.seed)}, {"text", identity_of(corpus())}};
  }

  void fill(dim_t step, Minibatch& batch) const { fill(step, batch, 0, seq().batch); }
  /// Rows first .. first + rows - 1 of that batch.
  void fill(dim_t step, Minibatch& batch, dim_t first, dim_t rows) const {
    prepare(step, rows, batch);
    batch.continues = false;
    const auto places = static_cast<std::uint64_t>(corpus().size() - seq().time);
    for (dim_t b = 0; b < rows; ++b) {
      const Random row{random_.seed, random_.stream + static_cast<std::uint64_t>(first + b)};
      set_row(batch, b, static_cast<dim_t>(row.below(places, static_cast<std::uint64_t>(step))));
    }
  }

 private:
  Random random_;
};

}  // namespace rwkv
