#pragma once
#include <algorithm>

#include <rwkv/testing/agreement.hpp>
#include <rwkv/testing/layer_run.hpp>

namespace rwkv::testing {

/// How far two computations of the same may lie apart, for each part of what a run gives: four times the expected
/// rounding, see `rounding`, and what operands that are off by as much change. One nudge may happen to change little,
/// where a single number decides: a normal number is four times another one in 16 of 100 cases, but four times the
/// largest of four in less than one.
struct Tolerance {
  static constexpr int nudges = 4;
  double y = 0, state = 0, dparams = 0, dx = 0, dstate = 0;
};

/// The tolerance of `whole`, which `operands` gave.
template <class L, class B>
Tolerance tolerance(const Case& c, const typename LayerRun<L, B>::Operands& operands,
                    typename LayerRun<L, B>::Result& whole) {
  using R = LayerRun<L, B>;
  const double error = rounding<L, B>(c.seq);
  Draw draw(c.seed + 1);
  const auto nudge = [&](auto x) { return decltype(x)(double(x) * (1 + error * draw.normal())); };
  const auto widen = [&](double& allowed, const std::vector<double>& a, const std::vector<double>& b) {
    allowed = std::max(allowed, 4 * (farthest(a, b) + error * std::max(1.0, largest(a))));
  };
  Tolerance all;
  for (int i = 0; i < Tolerance::nudges; ++i) {
    auto shaken = operands;
    R::shake(shaken.params, nudge), R::shake(shaken.start, nudge);
    shaken.x.each([&](auto& x) { x = nudge(x); });
    shaken.weights.each([&](auto& x) { x = nudge(x); });
    auto other = R::both_ways(shaken);
    widen(all.y, numbers(whole.y), numbers(other.y));
    widen(all.state, numbers_of(whole.state), numbers_of(other.state));
    widen(all.dparams, numbers_of(whole.dparams), numbers_of(other.dparams));
    widen(all.dx, numbers(whole.dx), numbers(other.dx));
    widen(all.dstate, numbers_of(whole.dstate), numbers_of(other.dstate));
  }
  return all;
}

/// Whether a wild case ran out of numbers where it may: then it shows nothing.
template <class R>
bool overflowed(const Case& c, const Options& options, R& whole) {
  return c.wild && !options.bounded && !(finite(numbers(whole.y)) && finite(numbers_of(whole.dparams)));
}

}  // namespace rwkv::testing
