#pragma once
#include <algorithm>

#include <rwkv/testing/agreement.hpp>
#include <rwkv/testing/run.hpp>

namespace rwkv::testing {

/// How far two computations of the same may lie apart, for each part of what a run gives: four times the expected
/// rounding, see `rounding`, and what operands that are off by as much change.
struct Tolerance {
  double y, state, dparams, dx, dstate;
};

/// The tolerance of `whole`, which `operands` gave.
template <class L, class B>
Tolerance tolerance(const Case& c, const typename Run<L, B>::Operands& operands, typename Run<L, B>::Result& whole) {
  using R = Run<L, B>;
  const double error = rounding<L, B>(c.seq);
  auto shaken = operands;
  Draw draw(c.seed + 1);
  const auto nudge = [&](auto x) { return decltype(x)(double(x) * (1 + error * draw.normal())); };
  R::shake(shaken.params, nudge), R::shake(shaken.start, nudge);
  shaken.x.each([&](auto& x) { x = nudge(x); });
  shaken.weights.each([&](auto& x) { x = nudge(x); });
  auto other = R::both_ways(shaken);
  const auto off = [&](const std::vector<double>& a, const std::vector<double>& b) {
    return 4 * (farthest(a, b) + error * std::max(1.0, largest(a)));
  };
  return {off(numbers(whole.y), numbers(other.y)), off(numbers_of(whole.state), numbers_of(other.state)),
          off(numbers_of(whole.dparams), numbers_of(other.dparams)), off(numbers(whole.dx), numbers(other.dx)),
          off(numbers_of(whole.dstate), numbers_of(other.dstate))};
}

/// Whether a wild case ran out of numbers where it may: then it shows nothing.
template <class R>
bool overflowed(const Case& c, const Options& options, R& whole) {
  return c.wild && !options.bounded && !(finite(numbers(whole.y)) && finite(numbers_of(whole.dparams)));
}

}  // namespace rwkv::testing
