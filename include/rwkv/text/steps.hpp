#pragma once
#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include <rwkv/text/batch_source.hpp>

namespace rwkv {

/// The batches of steps from .. from + n - 1 of a source, as a range of `const Minibatch&`. Single pass: each batch is
/// valid until the next one is asked for.
template <class Source>
class Steps {
 public:
  Steps(Source source, dim_t from, dim_t n)
      : source_(std::move(source)), step_(from), end_(from + std::min(n, most - std::max<dim_t>(from, 0))) {}

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
  dim_t step() const { return step_; }  ///< the step whose batch the iterator points at

 private:
  void fill() {
    if (step_ < end_) source_.fill(step_, batch_);
  }

  static constexpr dim_t most = std::numeric_limits<dim_t>::max();
  Source source_;
  dim_t step_, end_;
  Minibatch batch_;
};

}  // namespace rwkv
