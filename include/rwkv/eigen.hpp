#pragma once
// The library and Eigen: tensors as matrices, x.matrix() and view_of, and EigenCpu<T>, the processor whose products are
// Eigen's.
#include <rwkv/backend/cpu/eigen_products.hpp>
#include <rwkv/backend/eigen_map.hpp>
