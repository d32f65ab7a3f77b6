#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/determinism.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/equivalence.hpp>

#include "beside_processor.hpp"

// That gradients are derivatives follows: they are the processor's.
using namespace rwkv;

TEST_CASE("every layer and model gives on the GPU what it gives on the processor, and keeps the laws there") {
  int tried = 0;
  test::for_each_on_gpu([&](const every::Run& run, const testing::LayerUnderTest& gpu, const auto& options) {
    ++tried;
    testing::expect(testing::check_machines(*run.layer, gpu, options));
    testing::expect(testing::check_determinism(gpu, options));
    if (run.traits.dropout) return;
    testing::expect(testing::check_equivalence(gpu, options));
    testing::expect(testing::check_bundles(gpu, options));
  });
  CHECK(tried > 0);
}
