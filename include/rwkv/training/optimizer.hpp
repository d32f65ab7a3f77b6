#pragma once
#include <array>
#include <concepts>

#include <rwkv/core/owned.hpp>

namespace rwkv {

/// What an optimizer is told of one step.
struct Update {
  dim_t number;          ///< of the step, from 1
  double learning_rate;  ///< a tensor's is this times its Field::lr_scale
  double scale;          ///< multiplies the gradient: below 1 where it is clipped
};

/// An optimizer is a value that holds its coefficients. `O::memory` is a std::array of names: for each, the trainer
/// keeps a bundle like the gradient, zeros at first, which checkpoints hold under that name. `step` moves the
/// parameters of every leaf of the gradient (one that is not trained has none) and leaves the gradient at zero. If
/// there is a `check`, the trainer calls it first: it throws Error for coefficients that make no sense.
template <class O, class B, class P>
concept Optimizer = std::copyable<O> && requires(const O& optimizer, const Update& update, Owned<B, P>& bundle,
                                                 std::array<Owned<B, P>, O::memory.size()>& memory) {
  optimizer.step(update, bundle, bundle, memory);
};

}  // namespace rwkv
