#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include <rwkv/testing/disagreement.hpp>
#include <rwkv/testing/layer_under_test.hpp>

namespace rwkv::testing {

inline double largest(const std::vector<double>& x) {
  double most = 0;
  for (const double value : x) most = std::max(most, std::abs(value));
  return most;
}

/// Relative rounding error to be expected of a layer: each number is made of `flops` per channel and, as a gradient, of
/// a sum over all tokens; n roundings that know nothing of each other grow like sqrt(n) u, and beyond four times that
/// less often than once in a thousand (Higham and Mary 2019, "A new approach to probabilistic rounding error
/// analysis"). With reduced precision, what a sum adds up has been rounded once each, which is no more in the sum; but
/// one number follows from another through all the tensors that are kept, forwards and backwards.
inline double rounding(const LayerUnderTest::Facts& facts, Seq seq) {
  dim_t outputs = 0;
  for (const dim_t n : facts.out) outputs += n;
  const double operations = double(facts.flops) / double(outputs);
  return std::sqrt(operations + double(seq.tokens()) + 1) * facts.computed +
         std::sqrt(2. * (facts.kept_tensors + 1)) * facts.stored;
}

/// How far two computations of the same may lie apart, for each part of a result: four times the expected rounding and
/// what operands that are off by as much change. One nudge may happen to change little, where a single number decides:
/// a normal number is four times another one in 16 of 100 cases, but four times the largest of four in less than one.
struct Tolerance {
  static constexpr int nudges = 4;
  double y = 0, state = 0, dparams = 0, dx = 0, dstate = 0;
};

/// The tolerance of `whole`, which `operands` gave.
inline Tolerance tolerance(const LayerUnderTest& layer, const Case& c, const Operands& operands, const Result& whole) {
  const double error = rounding(layer.facts(), c.seq);
  Draw draw(c.seed + 1);
  const auto nudge = [&](double x) { return x * (1 + error * draw.normal()); };
  const auto widen = [&](double& allowed, const std::vector<double>& a, const std::vector<double>& b) {
    double farthest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) farthest = std::max(farthest, std::abs(a[i] - b[i]));
    allowed = std::max(allowed, 4 * (farthest + error * std::max(1.0, largest(a))));
  };
  Tolerance all;
  for (int i = 0; i < Tolerance::nudges; ++i) {
    Operands nudged = operands;
    nudged.params.change(nudge), nudged.start.change(nudge);
    if (!layer.facts().reads_tokens)
      for (double& x : nudged.x.values) x = nudge(x);
    for (double& w : nudged.weights.values) w = nudge(w);
    const Result other = layer.both_ways(nudged);
    widen(all.y, whole.y.values, other.y.values);
    widen(all.state, whole.state.values, other.state.values);
    widen(all.dparams, whole.dparams.values, other.dparams.values);
    widen(all.dx, whole.dx.values, other.dx.values);
    widen(all.dstate, whole.dstate.values, other.dstate.values);
  }
  return all;
}

/// Two results of the same operands.
inline std::optional<Finding> disagreement(const std::string& law, const Result& expected, const Result& found,
                                           const Tolerance& allowed) {
  if (auto f = disagreement(law + ": outputs", expected.y, found.y, allowed.y)) return f;
  if (auto f = disagreement(law + ": final state", expected.state, found.state, allowed.state)) return f;
  if (auto f = disagreement(law + ": gradient of the input", expected.dx, found.dx, allowed.dx)) return f;
  if (auto f = disagreement(law + ": gradients of the parameters", expected.dparams, found.dparams, allowed.dparams))
    return f;
  return disagreement(law + ": gradient of the initial state", expected.dstate, found.dstate, allowed.dstate);
}

/// Whether a wild case ran out of numbers where it may: then it shows nothing.
inline bool overflowed(const Case& c, const Options& options, const Result& whole) {
  const auto finite = [](const std::vector<double>& x) {
    return std::all_of(x.begin(), x.end(), [](double value) { return std::isfinite(value); });
  };
  return c.wild && !options.bounded && !(finite(whole.y.values) && finite(whole.dparams.values));
}

}  // namespace rwkv::testing
