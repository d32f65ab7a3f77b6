#include "kernels.hpp"

void bench::kernels_fp32(const Table& table) {
  Kernels<rwkv::Gpu<float>>{table, "fp32"}.run();
}
