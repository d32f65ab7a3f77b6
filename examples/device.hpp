#pragma once
#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/error.hpp>
#include <string>
#if defined(THRUST_DEVICE_SYSTEM) || defined(__CUDACC__)  // compiled for rwkv::gpu, or by nvcc
#include <rwkv/gpu.hpp>
#endif

namespace example {

/// Error where there is no such machine, cpu or gpu: what is missing, and the way to it.
inline void expect_device(const std::string& device) {
  if (device == "cpu") return;
#ifdef THRUST_DEVICE_SYSTEM  // as gpu.hpp says at the latest
  rwkv::gpu_count();
#else
  throw rwkv::Error(
      "--device gpu: this program was built without CUDA; build it with a CUDA Toolkit, by cmake --preset cuda && "
      "cmake --build --preset cuda, or use --device cpu");
#endif
}

/// Calls f.operator()<B>() with the machine that --device names, for numbers stored as T. Error where there is none.
template <class T = float, class F>
int on_device(const std::string& device, F&& f) {
  expect_device(device);
#ifdef THRUST_DEVICE_SYSTEM
  if (device == "gpu") return f.template operator()<rwkv::Gpu<T>>();
#endif
  return f.template operator()<rwkv::Cpu<T>>();
}

/// What on_device computes on, beside a figure.
inline std::string device_name([[maybe_unused]] const std::string& device) {
#ifdef THRUST_DEVICE_SYSTEM
  if (device == "gpu") return rwkv::gpu_name();
#endif
  return "cpu";
}

}  // namespace example
