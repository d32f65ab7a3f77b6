#pragma once
#include <cuda_runtime.h>

#include <algorithm>
#include <vector>

#include <rwkv/core/error.hpp>

namespace bench {

/// Milliseconds of a call: the median of 9, after one to warm up.
template <class Call>
double milliseconds(const Call& call) {
  cudaEvent_t begin, end;
  cudaEventCreate(&begin), cudaEventCreate(&end);
  std::vector<double> times;
  for (int i = 0; i < 10; ++i) {
    cudaEventRecord(begin);
    call();
    cudaEventRecord(end);
    if (const auto status = cudaEventSynchronize(end); status != cudaSuccess)
      throw rwkv::Error("gpu_table: ", cudaGetErrorString(status));
    float ms = 0;
    cudaEventElapsedTime(&ms, begin, end);
    if (i > 0) times.push_back(ms);
  }
  cudaEventDestroy(begin), cudaEventDestroy(end);
  std::nth_element(times.begin(), times.begin() + 4, times.end());
  return times[4];
}

}  // namespace bench
