// Everything that is measured on a GPU, as one table: gpu_table [what PyTorch took, see torch_beside.py]
#include <cstdio>

#include <rwkv/gpu.hpp>

#include "figures.hpp"

int main(int argc, char** argv) try {
  rwkv::gpu_count();
  const bench::Rates rates = bench::measure_rates();
  bench::Table table;
  bench::kernels_fp32(table);
  bench::kernels_portable(table);
  bench::kernels_bf16(table);
  bench::training_fp32(table);
  bench::training_bf16(table);
  if (argc > 1) table.read(argv[1], bench::torch);
  std::printf("%s: copies at %.0f GB/s, products at %.1f TFLOP/s in fp32, %.1f in bf16\n\n", rwkv::gpu_name().c_str(),
              rates.bytes * 1e-9, rates.products_fp32 * 1e-12, rates.products_bf16 * 1e-12);
  table.print(rates);
} catch (const std::exception& error) {
  std::fprintf(stderr, "gpu_table: %s\n", error.what());
  return 1;
}
