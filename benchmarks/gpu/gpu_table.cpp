// Everything that is measured on a GPU, as one table, what matters most first: gpu_table [what torch_beside.py printed]
#include <cstdio>

#include <rwkv/gpu.hpp>

#include "figures.hpp"

int main(int argc, char** argv) try {
  rwkv::gpu_count();
  const auto torch = argc > 1 ? bench::read_milliseconds(argv[1]) : bench::Milliseconds{};
  const bench::Rates rates = bench::measure_rates();
  std::printf("%s: copies at %.0f GB/s, products at %.1f TFLOP/s in fp32, %.1f in bf16\n\n", rwkv::gpu_name().c_str(),
              rates.bytes * 1e-9, rates.products_fp32 * 1e-12, rates.products_bf16 * 1e-12);
  const bench::Table table(rates, torch);
  int failed = 0;
  for (const auto measure :
       {bench::training_bf16, bench::kernels_bf16, bench::training_fp32, bench::kernels_fp32, bench::kernels_portable})
    try {
      measure(table);
    } catch (const std::exception& error) {  // the others may do
      std::fprintf(stderr, "gpu_table: %s\n", error.what());
      ++failed;
    }
  return failed > 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "gpu_table: %s\n", error.what());
  return 1;
}
