#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/laws.hpp>
#include <rwkv/testing/reduced_precision_laws.hpp>

#include "../every/runs.hpp"

// Layers and models are listed in tests/every.
using namespace rwkv;

TEST_CASE("every layer and model keeps the laws") {
  CHECK_FALSE(every::runs_on("Cpu<double>").empty());
  const auto& in_float = every::runs_on("Cpu<float>");
  for (const auto& [name, run] : every::runs_on("Cpu<double>")) {
    const auto floats = in_float.find(name);
    const auto* const layer = floats == in_float.end() ? nullptr : floats->second.layer.get();
    testing::expect(testing::check_laws(*run.layer, layer, run.options()));
  }
}
TEST_CASE("in bf16 they keep the laws, and differ from float by rounding") {
  CHECK_FALSE(every::runs_on("Cpu<bf16>").empty());
  every::for_each_on("Cpu<bf16>", "Cpu<float>", [](const every::Run& run, const testing::LayerUnderTest& floats) {
    testing::expect(testing::check_reduced_precision_laws(*run.layer, floats, run.options()));
  });
}
