#pragma once
#include <cuda_runtime_api.h>

#include <utility>

namespace rwkv {
namespace detail::gpu {
inline thread_local cudaStream_t current_stream = nullptr;
}

/// The stream that the calling thread's work goes to: CUDA's default stream, unless an OnStream says otherwise.
inline cudaStream_t gpu_stream() {
  return detail::gpu::current_stream;
}

/// While it lives, the calling thread's work goes to that stream: kernels, copies and products, in the order of the
/// calls. What other streams do with the same memory, the program orders itself, by events or by waiting.
class OnStream {
 public:
  explicit OnStream(cudaStream_t stream) : before_(std::exchange(detail::gpu::current_stream, stream)) {}
  OnStream(const OnStream&) = delete;
  OnStream& operator=(const OnStream&) = delete;
  ~OnStream() { detail::gpu::current_stream = before_; }

 private:
  cudaStream_t before_;
};

}  // namespace rwkv
