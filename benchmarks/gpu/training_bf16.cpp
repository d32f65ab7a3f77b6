#include "training.hpp"

void bench::training_bf16(Table& table) {
  Training<rwkv::Gpu<rwkv::bf16>>(table).run();
}
