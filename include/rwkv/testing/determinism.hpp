#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/layer_run.hpp>
#include <rwkv/testing/tolerance.hpp>
#include <rwkv/testing/try_cases.hpp>

namespace rwkv::testing {

inline Report check_determinism(const LayerUnderTest& layer, const Options& options = {}) {
  return try_cases("check_determinism<" + layer.facts().name + ">", options,
                   [&](const Case& c) -> std::optional<Finding> {
                     const auto on = [&](int threads) {
                       set_threads(threads);
                       Result r = layer.both_ways(layer.operands(c, options));
                       set_threads(0);
                       return r;
                     };
                     const Result one = on(1);
                     for (const int threads : {1, 2, 3})
                       if (auto f = disagreement("the same bits on 1 and on " + std::to_string(threads) + " threads",
                                                 one, on(threads), Tolerance{}))
                         return f;
                     return {};
                   });
}

/// The same bits whenever it is computed, with any number of threads.
template <class L, class B = Cpu<float>>
Report check_determinism(const Options& options = {}) {
  return check_determinism(LayerRun<L, B>(), options);
}

}  // namespace rwkv::testing
