// A kernel that fails is an Error of the call that meets it, with its name and the way to the kernel. What fails takes
// the whole process's device with it, so this is a program of its own.
#include <cstdio>

#include <rwkv/gpu.hpp>

namespace {
struct Fault {
  RWKV_HD void operator()(rwkv::dim_t, rwkv::dim_t) const {
#ifdef __CUDA_ARCH__
    __trap();
#endif
  }
};
}  // namespace

int main() {
  using B = rwkv::Gpu<float>;
  try {
    rwkv::gpu_count();
  } catch (const rwkv::Error& error) {
    std::printf("%s\n", error.what());
    return 77;
  }
  float* const x = B::allocate(1);
  try {
    B::for_each(1, 1, Fault{});
    float host;
    B::download(&host, x, 1);
    std::printf("a kernel failed, and nobody heard of it\n");
  } catch (const rwkv::Error& error) {
    std::printf("%s\n", error.what());
  }
  B::deallocate(x);  // does not throw
}
