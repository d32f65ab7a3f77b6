// Every model on the GPU, and every layer in one of them or by itself, compared with the processor. Without a GPU this
// is what a CUDA compiler must get through; the program then says what is missing, with status 77.
#include <cstdio>

#include <rwkv/backend/gpu.hpp>
#include <rwkv/testing/machines.hpp>

#include "../every/runs.hpp"

using namespace rwkv;

int main() {
  try {
    gpu_count();
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return 77;
  }
  int tried = 0, held = 0;
  const auto agree = [&](const every::Run& run, const testing::LayerUnderTest& gpu) {
    testing::Options options = run.options();
    options.wild = false;
    const auto report = testing::check_machines(*run.layer, gpu, options);
    std::printf("%s\n", report.text().c_str());
    ++tried, held += bool(report);
  };
  every::for_each_on("Cpu<float>", "Gpu<float>", agree);
  every::for_each_on("Cpu<bf16>", "Gpu<bf16>", agree);
  return tried > 0 && held == tried ? 0 : 1;
}
