#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/layer_run.hpp>
#include <rwkv/testing/tolerance.hpp>
#include <rwkv/testing/try_cases.hpp>

namespace rwkv::testing {

/// Where the same layer on two machines of the same scalar differs in a case, if it does.
inline std::optional<Finding> machines_differ(const LayerUnderTest& home, const LayerUnderTest& there, const Case& c,
                                              const Options& options) {
  const Operands here = home.operands(c, options);
  Operands same = there.operands(c, options);
  if (auto f = disagreement("the same seed gives the same parameters", here.params, same.params)) return f;
  same.start = here.start;
  const Result expected = home.both_ways(here), found = there.both_ways(same);
  if (overflowed(c, options, expected)) return {};
  return disagreement("both machines agree", expected, found, tolerance(home, c, here, expected));
}

inline Report check_machines(const LayerUnderTest& home, const LayerUnderTest& there, const Options& options = {}) {
  return try_cases("check_machines<" + home.facts().name + ">", options,
                   [&](const Case& c) { return machines_differ(home, there, c, options); });
}

/// A layer on machine B gives what it gives on the processor, within rounding: outputs, state and all gradients; the
/// same seed gives the same parameters, to the bit.
template <class L, class B>
Report check_machines(const Options& options = {}) {
  return check_machines(LayerRun<L, Cpu<typename B::scalar>>(), LayerRun<L, B>(), options);
}

}  // namespace rwkv::testing
