#pragma once
#include <thrust/system_error.h>

#include <string>

#include <rwkv/core/error.hpp>

// What can go wrong on a device, in words: made of plain numbers and texts, so that a machine without one can test
// them.
namespace rwkv::detail::gpu {

/// The way out where a call fails that did nothing wrong itself: kernels are only started, and fail later.
inline constexpr const char* blame =
    "; a kernel that was started before may be the cause: run with CUDA_LAUNCH_BLOCKING=1 to learn which";

/// Makes a call of Thrust; what it throws becomes an Error that names the verb and, in Thrust's words, the CUDA call.
template <class Call>
decltype(auto) named(const char* verb, const Call& call) {
  try {
    return call();
  } catch (const thrust::system_error& error) {
    throw Error("Gpu::", verb, ": ", error.what(), blame);
  }
}

/// "13.0" of 13000, as CUDA counts its versions.
inline std::string version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}
/// Why there is no device: the versions of CUDA that driver and program know, 0 for no driver; cudaGetDeviceCount's
/// answer, and whether that was that the driver is too old.
[[gnu::cold]] inline Error no_device(int driver, int program, bool too_old, const char* answer) {
  const char* const instead = "; or compute on the processor, with Cpu<float>";
  if (driver == 0)
    return Error("Gpu: expected a GPU of NVIDIA, found no driver for one (cudaGetDeviceCount: ", answer,
                 "); install the driver, where there is a GPU", instead);
  if (too_old)
    return Error("Gpu: expected a driver that knows CUDA ", version(program), ", found one that knows CUDA ",
                 version(driver), " (cudaGetDeviceCount: ", answer,
                 "); install a newer driver, or build with an older CUDA", instead);
  return Error("Gpu: expected a GPU of NVIDIA, found none (cudaGetDeviceCount: ", answer,
               "); see what nvidia-smi shows, and that CUDA_VISIBLE_DEVICES hides nothing", instead);
}
[[gnu::cold]] inline OutOfMemory no_memory(std::size_t bytes, std::size_t free, std::size_t total) {
  return OutOfMemory(bytes, free, "Gpu::allocate: expected ", bytes, " free bytes on the device, found ", free, " of ",
                     total, out_of_memory_advice);
}
[[gnu::cold]] inline Error no_such_device(int index, int devices) {
  return Error("set_gpu: expected a device from 0 to ", devices - 1, ", found ", index, "; nvidia-smi lists them");
}

}  // namespace rwkv::detail::gpu
