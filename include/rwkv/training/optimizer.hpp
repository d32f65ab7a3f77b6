#pragma once
#include <array>
#include <concepts>
#include <vector>

#include <rwkv/core/leaf.hpp>

namespace rwkv {

/// What an optimizer is told of one step.
struct Update {
  dim_t number;          ///< of the step, from 1
  double learning_rate;  ///< a tensor's is this times its Field::lr_scale
  double scale;          ///< multiplies the gradient: below 1 where it is clipped
};

/// What an optimizer moves: parameters, their gradient and what it remembers of each, in the memory of machine B. They
/// are those of all trained tensors or of a share of them, in which a tensor may be cut or missing: a leaf's `offset`
/// and `size` say where its numbers lie in each of the arrays.
template <class B, std::size_t Memories>
struct Trained {
  using T = typename B::scalar;
  const std::vector<Leaf>& leaves;
  T *params, *gradient;
  std::array<T*, Memories> memory;
};

/// An optimizer is a value that holds its coefficients. `O::memory` is a std::array of names: for each, the trainer
/// keeps a number beside every trained parameter, zero at first, which checkpoints hold under that name. `step` moves
/// the parameters and leaves the gradient at zero; what it does to one must not depend on others, which may be in
/// another process. If there is a `check`, the trainer calls it first: it throws Error for coefficients that make no
/// sense.
template <class O, class B>
concept Optimizer = std::copyable<O> &&
    requires(const O& optimizer, const Update& update, const Trained<B, O::memory.size()>& trained) {
  optimizer.step(update, trained);
};

}  // namespace rwkv
