#include "training.hpp"

void bench::training_bf16(const Table& table) {
  Training<rwkv::Gpu<rwkv::bf16>>(table).run();
}
