#pragma once
#include <functional>
#include <string>
#include <vector>

#include <rwkv/io/bundle_memory.hpp>
#include <rwkv/training/share.hpp>

namespace rwkv {

/// One of the bundles that a checkpoint holds. Of several ranks, each may have a part of it.
struct CheckpointPart {
  std::string name;  ///< what the names of its tensors begin with
  BundleMemory own;  ///< what this rank has of every tensor, whose shape is that of the whole
  /// Which numbers of a tensor a rank has; without it, every rank has all.
  std::function<Share(std::size_t leaf, int rank)> share = {};
};

/// What a checkpoint holds besides the number of steps.
using CheckpointParts = std::vector<CheckpointPart>;

}  // namespace rwkv
