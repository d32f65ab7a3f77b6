#pragma once
#include <rwkv/io/naming.hpp>

namespace rwkv::detail {

/// Whether a tensor's extents are those, "C 5m"; letters that are new get their size from it, if it has as many
/// extents.
[[gnu::cold]] inline bool match_extents(std::string_view expected, const Extents& found, std::map<char, dim_t>& sizes,
                                        std::string& as_numbers) {
  std::size_t at = 0;
  const bool rank = found.size() == std::size_t(std::count(expected.begin(), expected.end(), ' ')) + 1;
  bool same = rank;
  as_numbers = "(";
  for (std::size_t i = 0; i < expected.size(); ++at) {
    dim_t times = 0;
    const std::size_t first = i;
    for (; i < expected.size() && expected[i] >= '0' && expected[i] <= '9'; ++i)
      times = 10 * times + (expected[i] - '0');
    dim_t extent = times;
    bool is_known = true;
    if (i < expected.size() && expected[i] != ' ') {
      times = std::max<dim_t>(times, 1);
      const char letter = expected[i++];
      if (rank && !sizes.contains(letter) && found[at] % times == 0 && found[at] > 0) sizes[letter] = found[at] / times;
      const auto known = sizes.find(letter);
      is_known = known != sizes.end();
      if (is_known) extent = dim_t(std::uint64_t(times) * std::uint64_t(known->second));  // of empty tensors, anything
    }
    same = same && is_known && found[at] == extent;
    as_numbers += at > 0 ? ", " : "";
    as_numbers += is_known ? std::to_string(extent) : std::string(expected.substr(first, i - first));
    if (i < expected.size()) ++i;  // the space
  }
  as_numbers += ")";
  return same;
}

}  // namespace rwkv::detail
