#pragma once
#include <cuda_runtime_api.h>
#include <thrust/system/cuda/execution_policy.h>

#include <string>

#include <rwkv/backend/gpu/cublas.hpp>
#include <rwkv/backend/gpu/cublas_lt.hpp>
#include <rwkv/backend/gpu/cuda_graph.hpp>
#include <rwkv/backend/gpu/cuda_status.hpp>
#include <rwkv/backend/gpu/cuda_stream.hpp>
#include <rwkv/backend/gpu/errors.hpp>

// Thrust's device where it is a GPU of NVIDIA.
namespace rwkv {
namespace detail::gpu {

/// How many devices there are. Error, with the reason and the way out, where a program cannot come to any.
inline int count_devices() {
  int driver = 0, program = 0, devices = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&program);
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status == cudaSuccess && devices > 0) return devices;
  throw no_device(driver, program, status == cudaErrorInsufficientDriver, cudaGetErrorString(status));
}

/// Once a process, before anything else is asked of the device.
inline void expect_device() {
  [[maybe_unused]] static const int devices = count_devices();
}

/// The calling thread's stream; calls do not wait for the device.
inline auto policy() {
  return thrust::cuda::par_nosync.on(gpu_stream());
}
/// Returns when the host's memory may be overwritten: an asynchronous copy promises that for no kind of memory.
template <class T>
void upload(T* to, const T* from, dim_t n) {
  expect_no_recording("upload");
  expect(cudaMemcpyAsync(to, from, sizeof(T) * static_cast<std::size_t>(n), cudaMemcpyHostToDevice, gpu_stream()),
         "upload", "cudaMemcpyAsync");
  expect(cudaStreamSynchronize(gpu_stream()), "upload", "cudaStreamSynchronize");
}
/// Waits for what came before on the calling thread's stream, and so hears of what went wrong there.
template <class T>
void download(T* to, const T* from, dim_t n) {
  expect_no_recording("download");
  expect(cudaMemcpyAsync(to, from, sizeof(T) * static_cast<std::size_t>(n), cudaMemcpyDeviceToHost, gpu_stream()),
         "download", "cudaMemcpyAsync");
  expect(cudaStreamSynchronize(gpu_stream()), "download", "cudaStreamSynchronize");
}

[[noreturn, gnu::cold]] inline void out_of_memory(std::size_t bytes) {
  std::size_t free = 0, total = 0;
  const cudaError_t status = cudaMemGetInfo(&free, &total);
  if (status != cudaSuccess)
    throw Error("Gpu::allocate: cudaMalloc of ", bytes, " bytes: ", cudaGetErrorString(status), blame);
  cudaGetLastError();  // said
  throw no_memory(bytes, free, total);
}

}  // namespace detail::gpu

/// Devices there are, at least one; Error where there is none.
inline int gpu_count() {
  return detail::gpu::count_devices();
}
/// Chooses the device of the calling thread, from 0 on: before it makes anything on one. Error unless there is one of
/// that number.
inline void set_gpu(int index) {
  const int devices = gpu_count();
  if (index < 0 || index >= devices) throw detail::gpu::no_such_device(index, devices);
  if (const cudaError_t status = cudaSetDevice(index); status != cudaSuccess)
    throw Error("set_gpu: cudaSetDevice(", index, "): ", cudaGetErrorString(status));
}
/// What the calling thread's device is called.
inline std::string gpu_name() {
  detail::gpu::expect_device();
  int index = 0;
  cudaDeviceProp properties{};
  cudaError_t status = cudaGetDevice(&index);
  if (status == cudaSuccess) status = cudaGetDeviceProperties(&properties, index);
  if (status != cudaSuccess) throw Error("gpu_name: cudaGetDeviceProperties: ", cudaGetErrorString(status));
  return properties.name;
}

}  // namespace rwkv
