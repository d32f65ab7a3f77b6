#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/determinism.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/equivalence.hpp>
#include <rwkv/testing/machines.hpp>
#include <rwkv/testing/precision.hpp>

#include "../every/runs.hpp"

// That gradients are derivatives follows: they are the processor's.
using namespace rwkv;

TEST_CASE("every layer and model gives on the GPU what it gives on the processor") {
  CHECK_FALSE(every::runs_on("Gpu<float>").empty());
  const auto agree = [](const every::Run& run, const testing::LayerUnderTest& gpu) {
    testing::expect(testing::check_machines(*run.layer, gpu, run.options()));
  };
  every::for_each_on("Cpu<float>", "Gpu<float>", agree);
  every::for_each_on("Cpu<bf16>", "Gpu<bf16>", agree);
}
TEST_CASE("every layer and model keeps the laws on the GPU") {
  for (const std::string machine : {"Gpu<float>", "Gpu<bf16>"})
    for (const auto& [name, run] : every::runs_on(machine)) {
      testing::expect(testing::check_determinism(*run.layer, run.options()));
      if (run.traits.dropout) continue;
      testing::expect(testing::check_equivalence(*run.layer, run.options()));
      testing::expect(testing::check_bundles(*run.layer, run.options()));
    }
}
