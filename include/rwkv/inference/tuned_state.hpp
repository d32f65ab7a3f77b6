#pragma once
#include <algorithm>

#include <rwkv/core/quantise.hpp>
#include <rwkv/io/finite.hpp>

namespace rwkv {

namespace detail {
inline constexpr std::string_view tuned = ".att.time_state";

/// "blocks.3.att.time_state" of "blocks.3.att.wkv"; empty for a leaf that is no recurrence's state.
[[gnu::cold]] inline std::string tuned_name(const Leaf& leaf) {
  constexpr std::string_view ours = ".att.wkv";
  if (!leaf.name.ends_with(ours) || leaf.shape.size() != 4) return {};
  return leaf.name.substr(0, leaf.name.size() - ours.size()) + std::string(tuned);
}
}  // namespace detail

/// Whether a file is what official state tuning writes: nothing but blocks.N.att.time_state.
[[gnu::cold]] inline bool has_tuned_state(const TensorSource& source) {
  return !source.tensors().empty() && std::ranges::all_of(source.tensors(), [](const TensorInfo& t) {
    return t.name.starts_with("blocks.") && t.name.ends_with(detail::tuned);
  });
}

/// Fills the matrices of a fresh state, (batch, heads, keys, values), alike for every sequence; the file has (heads,
/// values, keys). Error unless it has one for every block, of these sizes, with finite numbers; the state may then hold
/// a part of them.
[[gnu::cold]] inline void read_tuned_state(const TensorSource& source, const BundleMemory& state) {
  std::size_t found = 0;
  std::vector<double> theirs, ours;
  for (const Leaf& leaf : state.leaves) {
    const std::string name = detail::tuned_name(leaf);
    if (name.empty()) continue;
    ++found;
    const dim_t heads = leaf.shape[1], size = leaf.shape[2];
    theirs.resize(std::size_t(heads * size * size));
    source.read(name, std::vector<dim_t>{heads, size, size}, std::span(theirs));
    if (const dim_t at = first_nonfinite(source, *source.find(name)); at >= 0)
      throw Error(source.path(), ": ", name, ": expected finite numbers, found NaN or an infinity at place ", at,
                  "; what tuned the state had gone wrong, take an earlier one");
    ours.clear();
    for (dim_t sequence = 0; sequence < leaf.shape[0]; ++sequence)
      for (dim_t head = 0; head < heads; ++head)
        for (dim_t key = 0; key < size; ++key)
          for (dim_t value = 0; value < size; ++value)
            ours.push_back(theirs[std::size_t((head * size + value) * size + key)]);
    std::vector<std::byte> stored(static_cast<std::size_t>(leaf.bytes()));  // a state has no shorter scalars than float
    encode<double>(leaf.storage, ours, stored.data());
    state.upload(state.of(leaf), stored.data(), state.scalars(stored.size()));
  }
  if (found == 0)
    throw Error(source.path(), ": holds a tuned state, which only models of RWKV-5 to 7 can begin with; found another");
  if (found != source.tensors().size())
    throw Error(source.path(), ": expected a tuned state of ", found, " blocks, found ", source.tensors().size(),
                "; load it into a model of the size that it was tuned with");
}

}  // namespace rwkv
