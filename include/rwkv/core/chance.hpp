#pragma once
#include <rwkv/core/random.hpp>

namespace rwkv {

/// A random stream, or none.
struct Drawn {
  bool any = false;
  Random random;
};

/// Where layers that leave something to chance in training, such as dropout, get their random streams. Off by itself:
/// validation and generation leave nothing to chance.
struct Chance {
  bool on = false;
  Random random;            ///< of the whole forward pass: another for every batch
  std::uint64_t draws = 0;  ///< so far: a layer's stream follows from its turn

  /// The stream of the layer whose turn it is in a forward pass; it keeps it for the way back.
  Drawn draw() { return on ? Drawn{true, {random.bits(draws++), random.stream}} : Drawn{}; }
};

}  // namespace rwkv
