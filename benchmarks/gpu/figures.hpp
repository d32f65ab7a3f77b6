#pragma once
#include "table.hpp"

// What the table holds, each compiled by itself.
namespace bench {
Rates measure_rates();
void kernels_fp32(Table&);
void kernels_bf16(Table&);
void kernels_portable(Table&);
void training_fp32(Table&);
void training_bf16(Table&);
}  // namespace bench
