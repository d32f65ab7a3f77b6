#pragma once
#include <concepts>

#include <rwkv/text/minibatch.hpp>

namespace rwkv {

/// Gives the batch of every step, as a function of the step alone: a run that resumes needs no more than its number.
template <class S>
concept BatchSource = requires(const S& source, dim_t step, Minibatch& batch) {
  { source.seq() } -> std::same_as<Seq>;
  source.fill(step, batch);
};

}  // namespace rwkv
