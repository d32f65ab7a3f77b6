#include <doctest/doctest.h>

#include <rwkv/backend/gpu.hpp>

#include "../io/folder.hpp"

using namespace rwkv;

namespace {
bool says(const std::string& said, const std::string& words) {
  const bool found = said.find(words) != said.npos;
  if (!found) MESSAGE(said);
  return found;
}
}  // namespace

TEST_CASE("a device that is not there is refused in plain words") {
  CHECK(gpu_count() >= 1);
  CHECK_FALSE(gpu_name().empty());
  set_gpu(0);
  const std::string count = std::to_string(gpu_count());
  CHECK(says(test::message<Error>([] { set_gpu(gpu_count()); }), "found " + count));
  CHECK(says(test::message<Error>([] { set_gpu(-1); }), "found -1"));
  CHECK(says(detail::gpu::no_such_device(4, 4).what(), "expected a device from 0 to 3, found 4"));
}

TEST_CASE("more memory than there is: how much was asked for, how much is free, the way out") {
  const auto said = test::message<Error>([] { Gpu<float>::allocate(dim_t(1) << 58); });
  CHECK(says(said, std::to_string(dim_t(1) << 60)));
  CHECK(says(said, "Gpu::allocate: expected "));
  CHECK(says(detail::gpu::no_memory(100, 7, 50).what(), "expected 100 free bytes on the device, found 7 of 50; use a"));
}

TEST_CASE("no driver, an old one, no device: each says what it is and what to do") {
  using detail::gpu::no_device;
  CHECK(says(no_device(0, 13000, true, "reason").what(), "found no driver for one (cudaGetDeviceCount: reason)"));
  const std::string old = no_device(12040, 13000, true, "reason").what();
  CHECK(
      says(old, "expected a driver that knows CUDA 13.0, found one that knows CUDA 12.4 (cudaGetDeviceCount: reason)"));
  CHECK(says(old, "install a newer driver"));
  CHECK(says(no_device(13000, 13000, false, "reason").what(), "found none (cudaGetDeviceCount: reason); see what"));
}

TEST_CASE("what Thrust throws names the verb, the call, and what may have come before") {
  const auto fails = [] {
    throw thrust::system_error(thrust::make_error_code(thrust::errc::io_error), "parallel_for failed");
  };
  const auto said = test::message<Error>([&] { detail::gpu::named("for_each_step", fails); });
  CHECK(says(said, "Gpu::for_each_step: parallel_for failed"));
  CHECK(says(said, "CUDA_LAUNCH_BLOCKING=1"));
}
