#pragma once
#include <rwkv/testing/machines.hpp>

#include "../every/runs.hpp"

namespace test {

/// check(run on the processor, the same layer on the GPU) for what is linked: with CUDA in float and bf16, else in
/// float, in guarded memory.
template <class Check>
void for_each_on_gpu(const Check& check) {
  every::for_each_on("Cpu<float>", "Gpu<float>", check);
  every::for_each_on("Cpu<bf16>", "Gpu<bf16>", check);
  every::for_each_on("Cpu<float>", "Guarded<float>", check);
}

}  // namespace test
