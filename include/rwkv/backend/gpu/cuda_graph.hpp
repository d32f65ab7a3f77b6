#pragma once
#include <cuda_runtime_api.h>

#include <utility>
#include <vector>

#include <rwkv/backend/gpu/cublas.hpp>
#include <rwkv/backend/gpu/cuda_handle.hpp>
#include <rwkv/backend/gpu/cuda_status.hpp>
#include <rwkv/backend/gpu/cuda_stream.hpp>
#include <rwkv/backend/graph_cache.hpp>

namespace rwkv::detail::gpu {

inline thread_local bool recording = false;
/// For calls that a graph cannot hold.
inline void expect_no_recording(const char* verb) {
  if (recording) throw CannotCapture("Gpu::", verb, " cannot be recorded");
}

/// Memory given back while calls are recorded, when nothing may be freed.
inline thread_local std::vector<void*> to_free;
inline bool keeps_for_later(void* p) {
  if (recording) to_free.push_back(p);
  return recording;
}

/// Calls as a CUDA graph: one launch, on the calling thread's stream, in place of one for every kernel.
class Graph {
 public:
  template <class Calls>
  explicit Graph(const Calls& calls) {
    const Handle<cudaStream_t, cudaStreamDestroy> stream(made<cudaStream_t>(
        [](cudaStream_t* to) { return cudaStreamCreateWithFlags(to, cudaStreamNonBlocking); }, "cudaStreamCreate"));
    cudaGraph_t captured = nullptr;
    const cublasHandle_t own = cublas();  // it takes memory when it is made
    expect(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "Record", "cudaStreamBeginCapture");
    try {
      const StreamGuard here(stream.get());
      const Recorded now;
      calls();
    } catch (...) {
      cudaStreamEndCapture(stream.get(), &captured);
      if (captured) cudaGraphDestroy(captured);
      free_now();
      cublasSetStream(own, gpu_stream());
      cudaGetLastError();  // of the capture that was given up
      throw;
    }
    const cudaError_t ended = cudaStreamEndCapture(stream.get(), &captured);
    cublasSetStream(own, gpu_stream());  // not the one that ends here
    const bool freed = free_now();
    expect(ended, "Record", "cudaStreamEndCapture");
    const Handle<cudaGraph_t, cudaGraphDestroy> graph(captured);
    if (freed) throw CannotCapture("Gpu::deallocate cannot be recorded");
    graph_.reset(made<cudaGraphExec_t>([&](cudaGraphExec_t* to) { return cudaGraphInstantiate(to, graph.get(), 0); },
                                       "cudaGraphInstantiate"));
  }
  void operator()() const { expect(cudaGraphLaunch(graph_.get(), gpu_stream()), "Record", "cudaGraphLaunch"); }

 private:
  template <class H>
  static H made(const auto& make, const char* call) {
    H handle = nullptr;
    expect(make(&handle), "Record", call);
    return handle;
  }
  /// Whether there was anything to free.
  static bool free_now() {
    for (void* const p : to_free) cudaFree(p);
    return !std::exchange(to_free, {}).empty();
  }
  struct Recorded {
    Recorded() { recording = true; }
    Recorded(const Recorded&) = delete;
    Recorded& operator=(const Recorded&) = delete;
    ~Recorded() { recording = false; }
  };
  Handle<cudaGraphExec_t, cudaGraphExecDestroy> graph_;
};

}  // namespace rwkv::detail::gpu
