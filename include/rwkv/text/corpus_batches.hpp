#pragma once
#include <span>
#include <utility>

#include <rwkv/backend/available_memory.hpp>
#include <rwkv/core/error.hpp>
#include <rwkv/core/settings.hpp>
#include <rwkv/core/size.hpp>
#include <rwkv/text/corpus.hpp>
#include <rwkv/text/fingerprint.hpp>
#include <rwkv/text/steps.hpp>

namespace rwkv {

/// The common part of batch sources that read a corpus; a source derives from it (CRTP) and adds `fill`.
template <class Source>
class CorpusBatches {
 public:
  Seq seq() const { return seq_; }
  const Corpus& corpus() const { return corpus_; }
  Minibatch at(dim_t step) const {
    Minibatch batch;
    self().fill(step, batch);
    return batch;
  }
  /// for (const Minibatch& batch : source.first(300)) ...
  Steps<Source> first(dim_t n) const { return steps(0, n); }
  /// n batches from step `from` on, as for a run that resumes there.
  Steps<Source> steps(dim_t from, dim_t n) const { return {self(), from, n}; }

 protected:
  /// Error if seq is empty, or if the corpus has fewer than rows * (seq.time + 1) tokens.
  CorpusBatches(Corpus corpus, Seq seq, dim_t rows) : corpus_(std::move(corpus)), seq_(detail::expect_sizes(seq, 1)) {
    if (corpus_.size() / rows < seq.time + 1) throw too_short(rows);
  }
  /// Shapes the batch, or so many rows of it; allocates only where it was smaller.
  void prepare(dim_t step, dim_t rows, Minibatch& batch) const {
    if (step < 0) throw Error("batches: expected a step of at least 0, found ", step, "; count from 0");
    batch.seq = {rows, seq_.time};
    const dim_t tokens = batch.seq.tokens();
    if (batch.inputs.size() != static_cast<std::size_t>(tokens))
      detail::expect_memory("minibatch", static_cast<std::size_t>(detail::product(tokens, 2 * sizeof(std::int32_t))));
    batch.inputs.resize(static_cast<std::size_t>(tokens));
    batch.targets.resize(batch.inputs.size());
  }
  /// Row b becomes the tokens of the corpus from `first`.
  void set_row(Minibatch& batch, dim_t b, dim_t first) const {
    const auto row = [&](std::vector<std::int32_t>& ids) {
      return std::span(ids).subspan(static_cast<std::size_t>(b * seq_.time), static_cast<std::size_t>(seq_.time));
    };
    corpus_.read(first, row(batch.inputs));
    corpus_.read(first + 1, row(batch.targets));
  }

 private:
  [[gnu::cold]] Error too_short(dim_t rows) const {
    const std::string each = "a context of " + std::to_string(seq_.time) + " and the token after it";
    return Error(corpus_.name(), ": expected at least ", detail::product(rows, seq_.time + 1), " tokens, ",
                 rows > 1 ? std::to_string(rows) + " times " + each : each, ", found ", corpus_.size(),
                 (rows > 1 ? "; give a longer text, a smaller batch" : "; give a longer text,"),
                 " or a shorter context (time)");
  }
  const Source& self() const { return static_cast<const Source&>(*this); }

  Corpus corpus_;
  Seq seq_;
};

}  // namespace rwkv
