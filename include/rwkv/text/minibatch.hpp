#pragma once
#include <cstdint>
#include <vector>

#include <rwkv/core/shape.hpp>

namespace rwkv {

/// What one step trains on: tokens, and the token that follows each of them; both (Batch, Time).
struct Minibatch {
  Seq seq;
  std::vector<std::int32_t> inputs, targets;
  bool continues = false;  ///< every row goes on where the same row of the batch before ended: a carried state is valid

  friend bool operator==(const Minibatch&, const Minibatch&) = default;
};

}  // namespace rwkv
