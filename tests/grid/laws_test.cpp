#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/equivalence.hpp>
#include <rwkv/testing/machines.hpp>

#include "../every/runs.hpp"
#include "in_both_orders.hpp"

// That gradients are derivatives follows: they are the processor's.
using namespace rwkv;

namespace {
/// One token, two drawn cases, and none: the emulation is slow, and a kernel that is wrong is wrong nearly always.
testing::Options few(const every::Run& run) {
  testing::Options options = run.options();
  options.cases = 4;
  return options;
}
}  // namespace

TEST_CASE("every layer and model keeps the laws where kernels run in blocks of threads") {
  CHECK_FALSE(every::runs_on("HostGrid<double>").empty());
  for (const auto& [name, run] : every::runs_on("HostGrid<double>")) {
    if (run.traits.dropout) continue;
    testing::expect(testing::check_equivalence(*run.layer, few(run)));
    testing::expect(testing::check_bundles(*run.layer, few(run)));
  }
}
TEST_CASE("every layer and model gives there what it gives on the processor, in either order of the threads") {
  const auto agree = [](const every::Run& run, const testing::LayerUnderTest& grid) {
    test::in_both_orders([&] { testing::expect(testing::check_machines(*run.layer, grid, few(run))); });
  };
  every::for_each_on("Cpu<double>", "HostGrid<double>", agree);
  every::for_each_on("Cpu<bf16>", "HostGrid<bf16>", agree);
}
