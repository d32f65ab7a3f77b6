#pragma once
#include <algorithm>
#include <vector>

#include <rwkv/core/leaf.hpp>
#include <rwkv/training/share.hpp>

namespace rwkv {

/// Which numbers of a leaf lie within a run of its bundle's memory: perhaps none.
inline Share within(const Leaf& leaf, Share run) {
  const auto place = [&](dim_t at) { return std::clamp(at - leaf.offset, dim_t{0}, leaf.size); };
  const dim_t first = place(run.first);
  return {first, place(run.first + run.size) - first};
}

/// All leaves, cut to what of them lies in the run, as a bundle that has only the run in memory.
[[gnu::cold]] inline std::vector<Leaf> cut_to_run(const std::vector<Leaf>& all, Share run) {
  std::vector<Leaf> cut = all;
  for (Leaf& leaf : cut) {
    const Share part = within(leaf, run);
    leaf.offset = std::clamp(leaf.offset + part.first - run.first, dim_t{0}, run.size);
    leaf.first = part.first, leaf.size = part.size;
  }
  return cut;
}

/// Leaves that hold so many rows of a batch, as what they are of those of the whole batch.
[[gnu::cold]] inline std::vector<Leaf> cut_to_rows(const std::vector<Leaf>& rows, Share of, dim_t batch) {
  std::vector<Leaf> cut = rows;
  for (Leaf& leaf : cut) leaf.first = leaf.size / of.size * of.first, leaf.shape.front() = batch;
  return cut;
}

}  // namespace rwkv
