#include "kernels.hpp"

void bench::kernels_fp32(Table& table) {
  Kernels<rwkv::Gpu<float>>{table, in_blocks}.run();
}
