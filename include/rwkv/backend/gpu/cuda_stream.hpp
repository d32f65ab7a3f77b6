#pragma once
#include <cuda_runtime_api.h>

#include <utility>

#include <rwkv/core/config.hpp>

namespace rwkv {
namespace detail::gpu {
inline thread_local cudaStream_t current_stream = nullptr;
}

/// The stream that the calling thread's work goes to: CUDA's default stream, unless a StreamGuard says otherwise.
inline cudaStream_t gpu_stream() {
  return detail::gpu::current_stream;
}

/// While it lives, the calling thread's work goes to that stream: kernels, copies and products, in the order of the
/// calls. What other streams do with the same memory, the program orders itself, by events or by waiting.
class StreamGuard {
 public:
  explicit StreamGuard(cudaStream_t stream) : before_(std::exchange(detail::gpu::current_stream, stream)) {}
  StreamGuard(const StreamGuard&) = delete;
  StreamGuard& operator=(const StreamGuard&) = delete;
  ~StreamGuard() { detail::gpu::current_stream = before_; }

 private:
  cudaStream_t before_;
};

}  // namespace rwkv
