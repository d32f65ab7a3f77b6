#pragma once
#include <cuda_runtime.h>

#include <cstring>

#include <rwkv/backend/gpu/cuda_status.hpp>
#include <rwkv/backend/gpu/cuda_stream.hpp>
#include <rwkv/backend/grid.hpp>

#ifndef __CUDACC__
#error "rwkv: kernels in blocks are launched by nvcc's syntax; compile this file as CUDA"
#endif

namespace rwkv::detail::gpu {

/// A block as CUDA has them.
template <int Threads>
struct CudaBlock {
  static constexpr int threads = Threads;
  __device__ dim_t index() const { return blockIdx.x; }
  __device__ int thread() const { return static_cast<int>(threadIdx.x); }
  __device__ void sync() const { __syncthreads(); }
  template <class Shared>
  __device__ Shared& shared() const {
    __shared__ alignas(Shared) unsigned char memory[sizeof(Shared)];
    return reinterpret_cast<Shared&>(memory);
  }
  template <class X>
  __device__ X from_lane(X x, int bit) const {
    static_assert(sizeof(X) % 4 == 0);
    int words[sizeof(X) / 4];
    std::memcpy(words, &x, sizeof x);
    for (int& word : words) word = __shfl_xor_sync(~0u, word, bit);
    std::memcpy(&x, words, sizeof x);
    return x;
  }
};

template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads) run_block(const Kernel kernel) {
  CudaBlock<Kernel::threads> here;
  kernel(here);
}

/// On the calling thread's stream; does not wait for the device.
template <class Kernel>
void launch(dim_t blocks, const Kernel& kernel) {
  static_assert(Kernel::threads % warp == 0 && (Kernel::threads & (Kernel::threads - 1)) == 0);
  if (blocks <= 0) return;
  if (blocks >= dim_t(1) << 31)
    throw Error("Gpu::launch: expected fewer than 2^31 blocks, found ", blocks, "; use a smaller batch");
  run_block<<<static_cast<unsigned>(blocks), Kernel::threads, 0, gpu_stream()>>>(kernel);
  expect(cudaGetLastError(), "launch", "cudaLaunchKernel");
}

}  // namespace rwkv::detail::gpu
