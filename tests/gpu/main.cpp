// Tests of a device: without one they are skipped, by their exit status.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include <rwkv/backend/gpu.hpp>

int main(int argc, char** argv) {
  try {
    rwkv::gpu_count();
  } catch (const rwkv::Error& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  }
  return doctest::Context(argc, argv).run();
}
