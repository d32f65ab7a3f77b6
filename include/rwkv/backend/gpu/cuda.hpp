#pragma once
#include <cuda_runtime_api.h>
#include <thrust/system/cuda/execution_policy.h>

#include <string>

#include <rwkv/backend/gpu/cublas.hpp>
#include <rwkv/core/error.hpp>

// Thrust's device where it is a GPU of NVIDIA.
namespace rwkv {
namespace detail::gpu {

inline std::string version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

/// How many devices there are. Error, with the reason and the way out, where a program cannot come to any.
inline int count_devices() {
  int driver = 0, runtime = 0, devices = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status == cudaSuccess && devices > 0) return devices;
  const char* const instead = "; or compute on the processor, with Cpu<float>";
  if (driver == 0)
    throw Error("Gpu: expected a GPU of NVIDIA, found no driver for one (cudaGetDeviceCount: ",
                cudaGetErrorString(status), "); install the driver, where there is a GPU", instead);
  if (status == cudaErrorInsufficientDriver)
    throw Error("Gpu: expected a driver that knows CUDA ", version(runtime), ", found one that knows CUDA ",
                version(driver), "; install a newer driver, or build with an older CUDA", instead);
  throw Error("Gpu: expected a GPU of NVIDIA, found none (cudaGetDeviceCount: ", cudaGetErrorString(status),
              "); see what nvidia-smi shows, and that CUDA_VISIBLE_DEVICES hides nothing", instead);
}

/// Once a process, before anything else is asked of the device.
inline void expect_device() {
  [[maybe_unused]] static const int devices = count_devices();
}

/// The default stream; calls do not wait for the device.
inline auto policy() {
  return thrust::cuda::par_nosync;
}

[[noreturn, gnu::cold]] inline void out_of_memory(std::size_t bytes) {
  std::size_t free = 0, total = 0;
  const cudaError_t status = cudaMemGetInfo(&free, &total);
  if (status != cudaSuccess)
    throw Error("Gpu::allocate: cudaMalloc of ", bytes, " bytes: ", cudaGetErrorString(status),
                "; a kernel that was started before may be the cause: run with CUDA_LAUNCH_BLOCKING=1 to learn which");
  cudaGetLastError();  // said
  throw Error("Gpu::allocate: expected ", bytes, " free bytes on the device, found ", free, " of ", total,
              "; use a smaller batch, Recompute, or a smaller model");
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
  if (index < 0 || index >= devices)
    throw Error("set_gpu: expected a device from 0 to ", devices - 1, ", found ", index, "; nvidia-smi lists them");
  if (const cudaError_t status = cudaSetDevice(index); status != cudaSuccess)
    throw Error("set_gpu: cudaSetDevice(", index, "): ", cudaGetErrorString(status));
}

}  // namespace rwkv
