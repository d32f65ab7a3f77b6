#pragma once
#include <cstdint>
#include <vector>

#include <rwkv/inference/decoder.hpp>
#include <rwkv/io/bundle_memory.hpp>

namespace rwkv {

/// What the next tokens of a decoder depend on, without its type: the weights of its model, and what a snapshot holds.
/// Model and snapshot must outlive it.
struct DecoderMemory {
  BundleMemory weights, state;
  std::vector<float>& logits;       ///< empty: not known
  std::vector<std::int32_t>& seen;  ///< the tokens of a limited context, (time, batch)
};

template <class Net, Backend B>
DecoderMemory memory_of(const Decoder<Net, B>& decoder, typename Decoder<Net, B>::Snapshot& snapshot) {
  return {memory_of(decoder.model().params), memory_of(snapshot.state), snapshot.logits, snapshot.seen};
}

}  // namespace rwkv
