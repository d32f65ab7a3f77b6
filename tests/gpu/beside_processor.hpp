#pragma once
#include <rwkv/testing/machines.hpp>

#include "../every/runs.hpp"

namespace test {

/// check(run on the processor, the same layer on the GPU, options) for what is linked: with CUDA in float and bf16,
/// else in float, in guarded memory, in fewer cases, since it is slow.
template <class Check>
void for_each_on_gpu(const Check& check) {
  const auto as_asked = [&](const every::Run& run, const rwkv::testing::LayerUnderTest& gpu) {
    check(run, gpu, run.options());
  };
  every::for_each_on("Cpu<float>", "Gpu<float>", as_asked);
  every::for_each_on("Cpu<bf16>", "Gpu<bf16>", as_asked);
  every::for_each_on("Cpu<float>", "Guarded<float>",
                     [&](const every::Run& run, const rwkv::testing::LayerUnderTest& gpu) {
                       rwkv::testing::Options options = run.options();
                       options.cases = 4;
                       check(run, gpu, options);
                     });
}

}  // namespace test
