#pragma once
#include <cuda_runtime_api.h>

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

/// Calls as a CUDA graph: one launch, on the calling thread's stream, in place of one for every kernel.
class Graph {
 public:
  template <class Calls>
  explicit Graph(const Calls& calls) {
    const Handle<cudaStream_t, cudaStreamDestroy> stream(made<cudaStream_t>(
        [](cudaStream_t* to) { return cudaStreamCreateWithFlags(to, cudaStreamNonBlocking); }, "cudaStreamCreate"));
    cudaGraph_t captured = nullptr;
    expect(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "Record", "cudaStreamBeginCapture");
    try {
      const StreamGuard here(stream.get());
      const Recorded now;
      calls();
    } catch (...) {
      cudaStreamEndCapture(stream.get(), &captured);
      if (captured) cudaGraphDestroy(captured);
      cudaGetLastError();  // of the capture that was given up
      throw;
    }
    expect(cudaStreamEndCapture(stream.get(), &captured), "Record", "cudaStreamEndCapture");
    const Handle<cudaGraph_t, cudaGraphDestroy> graph(captured);
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
  struct Recorded {
    Recorded() { recording = true; }
    Recorded(const Recorded&) = delete;
    Recorded& operator=(const Recorded&) = delete;
    ~Recorded() { recording = false; }
  };
  Handle<cudaGraphExec_t, cudaGraphExecDestroy> graph_;
};

}  // namespace rwkv::detail::gpu
