#pragma once
#include <concepts>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/core/shape.hpp>
#include <rwkv/text/corpus.hpp>

namespace rwkv {

/// What one step trains on: tokens, and the token that follows each of them; both (Batch, Time).
struct Minibatch {
  Seq seq;
  std::vector<std::int32_t> inputs, targets;
  bool continues = false;  ///< every row goes on where the same row of the step before ended: a carried state is valid

  friend bool operator==(const Minibatch&, const Minibatch&) = default;
};

/// Knows what every step trains on, as a function of the step alone: a run that resumes needs no more than its number.
template <class S>
concept BatchSource = requires(const S& source, dim_t step, Minibatch& batch) {
  { source.seq() } -> std::same_as<Seq>;
  source.fill(step, batch);
};

/// The steps from .. from + n - 1 of a source, as a range of `const Minibatch&`, each good until the next. One pass.
template <class Source>
class Steps {
 public:
  Steps(Source source, dim_t from, dim_t n) : source_(std::move(source)), step_(from), end_(from + n) {}

  class Iterator {
   public:
    using value_type = Minibatch;
    using difference_type = dim_t;
    explicit Iterator(Steps& steps) : steps_(&steps) {}
    const Minibatch& operator*() const { return steps_->batch_; }
    const Minibatch* operator->() const { return &steps_->batch_; }
    Iterator& operator++() {
      ++steps_->step_;
      steps_->fill();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return steps_->step_ >= steps_->end_; }

   private:
    Steps* steps_;
  };
  Iterator begin() {
    fill();
    return Iterator(*this);
  }
  static std::default_sentinel_t end() { return {}; }
  dim_t step() const { return step_; }  ///< the number of the batch that is shown

 private:
  void fill() {
    if (step_ < end_) source_.fill(step_, batch_);
  }

  Source source_;
  dim_t step_, end_;
  Minibatch batch_;
};

/// What the sources share: a corpus, a size, and three ways to ask.
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
  /// The same, where a run goes on at step `from`.
  Steps<Source> steps(dim_t from, dim_t n) const { return {self(), from, n}; }

 protected:
  /// Throws Error if seq is empty, or if the corpus has fewer than rows * (seq.time + 1) tokens.
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
