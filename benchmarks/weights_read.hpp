#pragma once
#include <span>

#include <rwkv/core/leaf.hpp>

namespace bench {

/// Bytes of weights that a token of decoding reads: all but the table of an embedding, of which it takes one row,
/// unless the head reads the same table.
inline double weights_read(std::span<const rwkv::Leaf> leaves) {
  double bytes = 0;
  for (const rwkv::Leaf& leaf : leaves)
    if (leaf.name != "emb.weight" && leaf.name != "embedding.weight") bytes += double(leaf.bytes());
  return bytes;
}

}  // namespace bench
