#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/backend/cpu/eigen_products.hpp>

namespace rwkv {

/// The processor, with Eigen's products.
template <class T>
struct EigenCpu : CpuWith<T, EigenProducts> {};

}  // namespace rwkv
