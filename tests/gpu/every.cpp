// Every layer and model once on the GPU, forwards and backwards, beside the processor: a first look, and short enough
// for tools that make everything slow.
#include <cstdio>

#include <rwkv/backend/gpu.hpp>
#include <rwkv/testing/machines.hpp>

#include "../every/runs.hpp"
using namespace rwkv;

int main() {
  try {
    gpu_count();
  } catch (const Error& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  }
  int tried = 0, wrong = 0;
  for (const std::string scalar : {"float", "bf16"})
    every::for_each_on("Cpu<" + scalar + ">", "Gpu<" + scalar + ">",
                       [&](const every::Run& run, const testing::LayerUnderTest& gpu) {
                         const testing::Case once{1, {2, span + 5}, {span + 5}, false};
                         const auto finding = testing::machines_differ(*run.layer, gpu, once, run.options());
                         std::printf("%s in %s: %s\n", gpu.facts().name.c_str(), scalar.c_str(),
                                     finding ? (finding->law + " at " + finding->place).c_str() : "agrees");
                         ++tried, wrong += finding.has_value();
                       });
  std::printf("%d tried, %d wrong\n", tried, wrong);
  return tried == 0 || wrong > 0;
}
