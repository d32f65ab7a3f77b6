#pragma once
#include <string>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/error.hpp>
#if defined(THRUST_DEVICE_SYSTEM) || defined(__CUDACC__)  // compiled for rwkv::gpu
#include <rwkv/backend/gpu.hpp>
#endif

namespace rwkv {

/// Where a model computes, and how its numbers are stored, chosen at run time.
struct Machine {
  enum class Device { cpu, gpu } device = Device::cpu;
  enum class Precision { fp32, bf16 } precision = Precision::fp32;

  /// From "cpu" or "gpu", and "fp32" or "bf16". Error for other words.
  static Machine named(const std::string& device, const std::string& precision = "fp32") {
    if (device != "cpu" && device != "gpu") throw Error("device: expected cpu or gpu, found ", shown(device));
    if (precision != "fp32" && precision != "bf16")
      throw Error("precision: expected fp32 or bf16, found ", shown(precision));
    return {device == "gpu" ? Device::gpu : Device::cpu, precision == "bf16" ? Precision::bf16 : Precision::fp32};
  }
};

namespace detail {
#ifdef THRUST_DEVICE_SYSTEM  // as gpu.hpp says at the latest
inline constexpr bool built_with_gpu = true;
template <class T>
using GpuIfBuilt = Gpu<T>;
#else
inline constexpr bool built_with_gpu = false;
template <class T>
using GpuIfBuilt = Cpu<T>;
#endif
}  // namespace detail

}  // namespace rwkv
