#pragma once
#include <span>
#include <utility>

#include <rwkv/core/error.hpp>
#include <rwkv/core/settings.hpp>
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
  CorpusBatches(Corpus corpus, Seq seq, dim_t rows) : corpus_(std::move(corpus)), seq_(seq) {
    if (seq.batch < 1 || seq.time < 1)
      throw Error("batches: expected a batch and a time of at least 1, found batch ", seq.batch, " and time ", seq.time,
                  "; set both, as in Seq{.batch = 8, .time = 64}");
    if (corpus_.size() / rows < seq.time + 1)
      throw Error(corpus_.name(), ": expected at least ", rows * (seq.time + 1), " tokens, ", rows, " times ", seq.time,
                  " and the one after, found ", corpus_.size(), "; give a longer text, or make the ",
                  (rows > 1 ? "batch or the time" : "time"), " smaller");
  }
  /// Shapes the batch; allocates only where it was smaller.
  void prepare(dim_t step, Minibatch& batch) const {
    if (step < 0) throw Error("batches: expected a step of at least 0, found ", step, "; count from 0");
    batch.seq = seq_;
    batch.inputs.resize(static_cast<std::size_t>(seq_.tokens()));
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
  const Source& self() const { return static_cast<const Source&>(*this); }

  Corpus corpus_;
  Seq seq_;
};

}  // namespace rwkv
