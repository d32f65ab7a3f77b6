#pragma once
#include <cuda_runtime.h>

#include <algorithm>
#include <vector>

#include <rwkv/backend/gpu/cuda_status.hpp>
#include <rwkv/backend/gpu/cuda_stream.hpp>

namespace bench {

/// Has the GPU write more than its caches hold: what follows finds them cold, and is under way before the GPU is ready
/// for it, so that no time passes between its kernels because the processor was late.
inline void overwrite_caches() {
  using rwkv::detail::gpu::expect;
  constexpr std::size_t bytes = std::size_t(512) << 20;
  static void* const memory = [] {
    void* p = nullptr;
    expect(cudaMalloc(&p, bytes), "overwrite_caches", "cudaMalloc");
    return p;
  }();
  expect(cudaMemsetAsync(memory, 0, bytes, rwkv::gpu_stream()), "overwrite_caches", "cudaMemsetAsync");
}

/// Milliseconds of a call: the median of 9 after one to warm up, or of as many as two seconds hold, but 3.
template <class Call>
double milliseconds(const Call& call) {
  using rwkv::detail::gpu::expect;
  cudaEvent_t begin, end;
  cudaEventCreate(&begin), cudaEventCreate(&end);
  std::vector<double> times;
  double all = 0;
  for (int i = 0; i < 4 || (i < 10 && all < 2000); ++i) {
    overwrite_caches();
    cudaEventRecord(begin, rwkv::gpu_stream());
    call();
    cudaEventRecord(end, rwkv::gpu_stream());
    expect(cudaEventSynchronize(end), "milliseconds", "cudaEventSynchronize");
    float ms = 0;
    cudaEventElapsedTime(&ms, begin, end);
    all += ms;
    if (i > 0) times.push_back(ms);
  }
  cudaEventDestroy(begin), cudaEventDestroy(end);
  const auto middle = times.begin() + std::ptrdiff_t(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace bench
