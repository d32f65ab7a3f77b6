#include "kernels.hpp"

void bench::kernels_bf16(const Table& table) {
  Kernels<rwkv::Gpu<rwkv::bf16>>{table, "bf16"}.run();
}
