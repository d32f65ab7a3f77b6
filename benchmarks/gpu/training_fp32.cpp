#include "training.hpp"

void bench::training_fp32(const Table& table) {
  Training<rwkv::Gpu<float>>(table).run();
}
