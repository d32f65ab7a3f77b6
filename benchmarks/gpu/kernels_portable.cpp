#include "kernels.hpp"

namespace {
/// The GPU without launch: what it would do with the portable kernels alone.
template <class T>
struct Portable : private rwkv::Gpu<T> {
  using Gpu = rwkv::Gpu<T>;
  using scalar = T;
  using Gpu::allocate, Gpu::deallocate, Gpu::fill, Gpu::copy, Gpu::upload, Gpu::download;
  using Gpu::for_each, Gpu::for_each_row, Gpu::for_each_step, Gpu::matmul, Gpu::batched_matmul;
};
static_assert(rwkv::Grid<rwkv::Gpu<float>> && rwkv::Backend<Portable<float>> && !rwkv::Grid<Portable<float>>);
}  // namespace

void bench::kernels_portable(const Table& table) {
  Kernels<Portable<float>>{table, "portable"}.run();
}
