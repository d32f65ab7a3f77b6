#pragma once
#include "table.hpp"

// What the table holds, each compiled by itself.
namespace bench {
Rates measure_rates();
void kernels_fp32(const Table&);
void kernels_bf16(const Table&);
void kernels_portable(const Table&);
void training_fp32(const Table&);
void training_bf16(const Table&);
}  // namespace bench
