#pragma once
// The library and Eigen: tensors as matrices and back, x.matrix() and view_of, and EigenCpu<T>, the processor that
// leaves its products to Eigen.
#include <rwkv/backend/eigen_cpu.hpp>
#include <rwkv/backend/eigen_map.hpp>
