#pragma once
#include <cuda_runtime_api.h>

#include <rwkv/backend/gpu/errors.hpp>

namespace rwkv::detail::gpu {

/// Error, which names the verb and the call of CUDA, unless that went well.
inline void expect(cudaError_t status, const char* verb, const char* call) {
  if (status != cudaSuccess) throw Error("Gpu::", verb, ": ", call, ": ", cudaGetErrorString(status), blame);
}

}  // namespace rwkv::detail::gpu
