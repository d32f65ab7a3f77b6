#pragma once
#include <string>

#include <rwkv/testing/agreement.hpp>
#include <rwkv/testing/tolerance.hpp>

namespace rwkv::testing::detail {

inline auto same_bundle(const std::string& law, const auto& expected, const auto& found, double allowed) {
  return disagreement(law, numbers_of(expected), numbers_of(found), allowed,
                      [&](std::size_t i) { return place_in(expected, i); });
}
inline auto same_signal(const std::string& law, auto& expected, auto& found, double allowed) {
  return disagreement(law, numbers(expected), numbers(found), allowed,
                      [&](std::size_t i) { return expected.place(dim_t(i)); });
}

/// What two runs of a layer from the same numbers on different machines gave.
std::optional<Finding> same_results(const std::string& law, auto& expected, auto& found, const Tolerance& allowed) {
  if (auto f = same_signal(law + ": outputs", expected.y, found.y, allowed.y)) return f;
  if (auto f = same_bundle(law + ": final state", expected.state, found.state, allowed.state)) return f;
  if (auto f = same_signal(law + ": gradient of the input", expected.dx, found.dx, allowed.dx)) return f;
  if (auto f = same_bundle(law + ": gradients of the parameters", expected.dparams, found.dparams, allowed.dparams))
    return f;
  return same_bundle(law + ": gradient of the initial state", expected.dstate, found.dstate, allowed.dstate);
}

}  // namespace rwkv::testing::detail
