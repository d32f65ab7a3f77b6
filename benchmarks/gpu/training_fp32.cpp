#include "training.hpp"

void bench::training_fp32(Table& table) {
  Training<rwkv::Gpu<float>>(table).run();
}
