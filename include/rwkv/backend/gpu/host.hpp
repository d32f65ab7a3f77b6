#pragma once
#include <thrust/execution_policy.h>

#include <cstring>
#include <string>

#include <rwkv/backend/available_memory.hpp>
#include <rwkv/backend/default_products.hpp>
#include <rwkv/backend/gpu/errors.hpp>

// Thrust's device where it is the processor: plain C++, OpenMP or TBB. The same kernels, one index to a call, in the
// host's memory: the GPU's code is tested where there is no GPU.
namespace rwkv {

/// Devices there are: one, the processor.
inline int gpu_count() {
  return 1;
}
/// Chooses the device. Error unless there is one of that number, from 0 on.
inline void set_gpu(int index) {
  if (index != 0)
    throw Error("set_gpu: expected device 0, the only one of a program built without CUDA, found ", index);
}

/// What the device is called.
inline std::string gpu_name() {
  return "the processor, by Thrust";
}

namespace detail::gpu {

inline const auto& policy() {
  return thrust::device;
}
inline void expect_device() {}
inline void expect_no_recording(const char*) {}
template <class T>
void upload(T* to, const T* from, dim_t n) {
  if (n > 0) std::memcpy(to, from, sizeof(T) * static_cast<std::size_t>(n));
}
template <class T>
void download(T* to, const T* from, dim_t n) {
  upload(to, from, n);
}
[[noreturn, gnu::cold]] inline void out_of_memory(std::size_t bytes) {
  throw detail::no_memory("Gpu::allocate", bytes);
}
template <class T, class Out>
void matmul(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const T* a, const T* b, Out* c, compute_of<T> beta) {
  DefaultProducts::matmul(of_a, of_b, m, n, k, a, b, c, beta);
}
template <class T, class Out>
void batched_matmul(dim_t count, Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, Matrices<const T> a, Matrices<const T> b,
                    Matrices<Out> c, compute_of<T> beta) {
  DefaultProducts::batched_matmul(count, of_a, of_b, m, n, k, a, b, c, beta);
}

}  // namespace detail::gpu
}  // namespace rwkv
