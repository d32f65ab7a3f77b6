#pragma once
#include <rwkv/backend/processor.hpp>
#include <rwkv/registry/machine.hpp>

namespace rwkv {

/// Error where the program has no such device: what is missing, and the way to it.
inline void expect_device(const Machine& machine) {
  if (machine.device == Machine::Device::cpu) return;
#ifdef THRUST_DEVICE_SYSTEM
  gpu_count();
#else
  throw Error(
      "device gpu: this program was built without CUDA; build it with a CUDA Toolkit, by cmake --preset cuda && ",
      "cmake --build --preset cuda, or use the device cpu");
#endif
}

/// What it computes on, beside a figure.
inline std::string device_name([[maybe_unused]] const Machine& machine) {
#ifdef THRUST_DEVICE_SYSTEM
  if (machine.device == Machine::Device::gpu) return gpu_name();
#endif
  return "cpu";
}

}  // namespace rwkv
