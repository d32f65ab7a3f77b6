// Every layer and model once on the GPU, forwards and backwards, beside the processor: a first look, and short enough
// for tools that make everything slow.
#include <cstdio>

#include <rwkv/backend/gpu.hpp>

#include "beside_processor.hpp"
using namespace rwkv;

int main() {
  try {
    gpu_count();
  } catch (const Error& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  }
  int tried = 0, wrong = 0;
  test::for_each_on_gpu([&](const every::Run& run, const testing::LayerUnderTest& gpu, const auto& options) {
    const testing::Case once{1, {2, span + 5}, {span + 5}, false};
    const auto finding = testing::machines_differ(*run.layer, gpu, once, options);
    std::printf("%s in %s: %s\n", gpu.facts().name.c_str(), gpu.facts().stored > 0 ? "bf16" : "float",
                finding ? (finding->law + " at " + finding->place).c_str() : "agrees");
    ++tried, wrong += finding.has_value();
  });
  std::printf("%d tried, %d wrong\n", tried, wrong);
  return tried == 0 || wrong > 0;
}
