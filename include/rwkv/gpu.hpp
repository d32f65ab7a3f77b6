#pragma once
// Gpu<T>: a GPU with CUDA, or whatever Thrust was set to. The kernels written for it are part of the ops and need no
// include of their own.
#include <rwkv/backend/gpu.hpp>
