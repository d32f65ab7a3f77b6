#pragma once
#include <cmath>
#include <optional>
#include <string>

#include <rwkv/testing/report.hpp>

namespace rwkv::testing {

/// The number that is farthest off, if it is by more than `allowed`. NaN is off from everything, but for itself where
/// nothing is allowed. Numbers: of a bundle or a signal.
template <class Numbers>
std::optional<Finding> disagreement(const std::string& law, const Numbers& expected, const Numbers& found,
                                    double allowed = 0) {
  std::size_t worst = 0;
  double most = -1;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const double a = expected.values[i], b = found.values[i];
    const bool same = a == b || (allowed == 0 && std::isnan(a) && std::isnan(b));
    const double off = same ? 0 : std::abs(a - b);
    if (!(off <= most)) most = std::isnan(off) ? HUGE_VAL : off, worst = i;
    if (most == HUGE_VAL) break;
  }
  if (most <= allowed) return {};
  return Finding{law, found.place(worst), expected.values[worst], found.values[worst], allowed};
}

}  // namespace rwkv::testing
