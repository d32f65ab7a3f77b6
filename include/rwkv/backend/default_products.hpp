#pragma once
// How Cpu multiplies matrices unless it is told: by our own kernels on x86, where they were measured, and by Eigen's
// on other processors. nvcc reads Eigen only with flags of its own, and takes ours.
#if defined(__x86_64__) || defined(__CUDACC__)
#include <rwkv/backend/cpu/tuned_products.hpp>
namespace rwkv {
using DefaultProducts = TunedProducts;
}
#else
#include <rwkv/backend/cpu/eigen_products.hpp>
namespace rwkv {
using DefaultProducts = EigenProducts;
}
#endif
