#include <rwkv/testing/determinism.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/machines.hpp>

#include "../every/runs.hpp"

using namespace rwkv;

TEST_CASE("with Eigen's products models give what they give with ours, on any number of threads") {
  CHECK_FALSE(every::runs_on("EigenCpu<float>").empty());
  every::for_each_on("Cpu<float>", "EigenCpu<float>", [](const every::Run& run, const testing::LayerUnderTest& eigen) {
    testing::expect(testing::check_machines(*run.layer, eigen, run.options()));
    testing::expect(testing::check_determinism(eigen, run.options()));
  });
}
