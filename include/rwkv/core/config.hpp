#pragma once
#if __cplusplus < 202002L
#error "rwkv: expected C++20 or newer, found an older standard; compile with -std=c++20"
#include <rwkv needs C++20>  // not there: the compiler stops here, before hundreds of complaints
#elif defined(_WIN32)
#error "rwkv: expected a POSIX system, found Windows"
#elif __SIZEOF_POINTER__ != 8
#error "rwkv: expected a 64-bit machine, found another"
#elif __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "rwkv: expected a little-endian machine, as its files are; found another"
#elif !defined(__STDCPP_THREADS__)
#error "rwkv: expected threads, found a compiler that is set to do without"
#elif defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__)
#error "rwkv: -ffast-math and -fassociative-math fold the rounding steps of exp and log; compile without"
#elif __FINITE_MATH_ONLY__
#error "rwkv: -ffinite-math-only loses NaN, by which a broken model shows; compile without"
#endif

#include <cstddef>

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
