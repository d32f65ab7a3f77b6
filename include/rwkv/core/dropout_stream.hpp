#pragma once
#include <rwkv/core/random.hpp>

namespace rwkv {

/// The random stream of one dropout, or none.
struct DropoutStream {
  bool active = false;
  Random random;
  std::uint64_t before = 0;  ///< tokens of the batch before the first one here
};

/// Where dropout gets its random streams. Off by default: validation and generation drop nothing.
struct DropoutStreams {
  bool on = false;
  Random random;             ///< of the whole forward pass: another for every batch
  std::uint64_t before = 0;  ///< tokens of the batch before the first one here: of several ranks, each has its rows
  std::uint64_t count = 0;   ///< streams handed out so far: a layer's stream follows from its turn

  /// The stream of the layer whose turn it is in a forward pass; it keeps it for its backward pass.
  DropoutStream next() {
    return on ? DropoutStream{true, {random.bits(count++), random.stream}, before} : DropoutStream{};
  }
};

}  // namespace rwkv
