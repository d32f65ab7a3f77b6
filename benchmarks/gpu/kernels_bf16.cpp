#include "kernels.hpp"

void bench::kernels_bf16(Table& table) {
  Kernels<rwkv::Gpu<rwkv::bf16>>{table, in_blocks}.run();
}
