#pragma once
#include <cuda_runtime.h>

#include <cstring>

#include <rwkv/backend/fragments.hpp>
#include <rwkv/backend/gpu/cuda_status.hpp>
#include <rwkv/backend/gpu/cuda_stream.hpp>

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

  // Of bf16 from compute capability 8 on: where has_tensor_cores says no, nobody comes here.
  __device__ void multiply(const LeftFragment& a, const RightFragment& b, SumFragment& sums) const {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(sums.at[0]), "+f"(sums.at[1]), "+f"(sums.at[2]), "+f"(sums.at[3])
        : "r"(a.at[0]), "r"(a.at[1]), "r"(a.at[2]), "r"(a.at[3]), "r"(b.at[0]), "r"(b.at[1]));  // not to be moved
#else
    __trap();
#endif
  }
  template <bool Transposed>
  __device__ Pairs<4> matrices(const bf16* row) const {
    const auto at = static_cast<unsigned>(__cvta_generic_to_shared(row));
    Pairs<4> x;
    if constexpr (Transposed)
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                   : "=r"(x.at[0]), "=r"(x.at[1]), "=r"(x.at[2]), "=r"(x.at[3])
                   : "r"(at)
                   : "memory");
    else
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                   : "=r"(x.at[0]), "=r"(x.at[1]), "=r"(x.at[2]), "=r"(x.at[3])
                   : "r"(at)
                   : "memory");
    return x;
  }
  __device__ void start_copy(bf16* to, const bf16* from, bool there) const {
#if __CUDA_ARCH__ >= 800
    const auto at = static_cast<unsigned>(__cvta_generic_to_shared(to));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :
                 : "r"(at), "l"(__cvta_generic_to_global(from)), "r"(there ? 16 : 0)
                 : "memory");
#else
    __trap();
#endif
  }
  __device__ void finish_copies() const {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" : : : "memory");
#endif
  }
};

/// How many blocks a multiprocessor is to hold at once, as far as their registers go: what the kernel says.
template <class Kernel>
constexpr int at_once() {
  if constexpr (requires { Kernel::at_once; })
    return Kernel::at_once;
  else
    return 1;
}
template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads, at_once<Kernel>()) run_block(const Kernel kernel) {
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

/// Whether the code that the calling thread's device runs has the products of fragments: compiled for less, it has not,
/// also on a newer device. Asked once a thread and device.
inline bool has_tensor_cores() {
  static thread_local int asked = -1;
  static thread_local bool answer = false;
  int device = 0;
  cudaFuncAttributes code{};
  expect(cudaGetDevice(&device), "has_tensor_cores", "cudaGetDevice");
  if (device != asked) {
    expect(cudaFuncGetAttributes(&code, run_block<NoKernel>), "has_tensor_cores", "cudaFuncGetAttributes");
    asked = device, answer = code.ptxVersion >= 80;
  }
  return answer;
}

}  // namespace rwkv::detail::gpu
