#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/layer_run.hpp>
#include <rwkv/testing/tolerance.hpp>
#include <rwkv/testing/try_cases.hpp>

namespace rwkv::testing {

/// The same layer on a machine in reduced precision and on its Accum.
inline Report check_precision(const LayerUnderTest& reduced, const LayerUnderTest& full, const Options& options = {}) {
  return try_cases("check_precision<" + reduced.facts().name + ">", options,
                   [&](const Case& c) -> std::optional<Finding> {
                     const Operands operands = reduced.operands(c, options);
                     const Result found = reduced.both_ways(operands), expected = full.both_ways(operands);
                     if (overflowed(c, options, expected)) return {};
                     return disagreement("reduced precision", expected, found, tolerance(reduced, c, operands, found));
                   });
}

/// A layer on a machine in reduced precision gives, from the same numbers, what it gives in full precision: outputs,
/// state and all gradients, within the rounding of what is stored.
template <class L, class B = Cpu<bf16>>
Report check_precision(const Options& options = {}) {
  return check_precision(LayerRun<L, B>(), LayerRun<L, Accum<B>>(), options);
}

}  // namespace rwkv::testing
