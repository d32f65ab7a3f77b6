#pragma once
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <rwkv/core/owned.hpp>
#include <rwkv/testing/report.hpp>

namespace rwkv::testing {

inline double largest(const std::vector<double>& x) {
  double most = 0;
  for (const double value : x) most = std::max(most, std::abs(value));
  return most;
}
inline bool finite(const std::vector<double>& x) {
  return std::all_of(x.begin(), x.end(), [](double value) { return std::isfinite(value); });
}
inline double farthest(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

/// The number that is farthest off, if it is by more than `allowed`; place(i) names it. NaN is off from everything,
/// but for itself where nothing is allowed.
template <class Place>
std::optional<Finding> disagreement(const std::string& law, const std::vector<double>& expected,
                                    const std::vector<double>& found, double allowed, Place&& place) {
  std::size_t worst = 0;
  double most = -1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool same = expected[i] == found[i] || (allowed == 0 && std::isnan(expected[i]) && std::isnan(found[i]));
    const double off = same ? 0 : std::abs(expected[i] - found[i]);
    if (!(off <= most)) most = std::isnan(off) ? HUGE_VAL : off, worst = i;
    if (most == HUGE_VAL) break;
  }
  if (most <= allowed) return {};
  return Finding{law, place(worst), expected[worst], found[worst], allowed};
}

/// The name of scalar i of a bundle's memory.
template <class Bundle>
std::string place_in(const Bundle& bundle, std::size_t i) {
  const auto at = static_cast<dim_t>(i);
  for (const Leaf& leaf : bundle.leaves())
    if (at < leaf.offset + leaf.size)
      return (leaf.name.empty() ? "tensor" : leaf.name) + "[" + std::to_string(at - leaf.offset) + "]";
  return "padding";
}

template <class Bundle>
std::vector<double> numbers_of(const Bundle& bundle) {
  const auto host = bundle.download();
  return {host.begin(), host.end()};
}

}  // namespace rwkv::testing
