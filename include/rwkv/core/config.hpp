#pragma once
#include <cstddef>

#ifdef __FAST_MATH__
#error "rwkv: -ffast-math folds the rounding steps that exp and log are built from; compile without it"
#endif

/// Marks what runs on the host and on a device. The library's only macro.
#ifdef __CUDACC__
#define RWKV_HD __host__ __device__
#else
#define RWKV_HD
#endif

namespace rwkv {

/// Sizes and indices: signed, so that differences are safe.
using dim_t = std::ptrdiff_t;

}  // namespace rwkv
