#include <rwkv/core/buffer.hpp>
#include <rwkv/gpu.hpp>

#include "figures.hpp"
#include "noise.hpp"
#include "time.hpp"

namespace {
using namespace rwkv;

double copy_rate() {
  using B = Gpu<float>;
  const dim_t n = dim_t(1) << 28;
  const detail::Buffer<B> from(B::allocate(n)), to(B::allocate(n));
  return 8 * double(n) / (bench::milliseconds([&] { B::copy(to.get(), from.get(), n); }) * 1e-3);
}
template <class T>
double product_rate() {
  using B = Gpu<T>;
  const dim_t n = 8192;
  const detail::Buffer<B> a(B::allocate(n * n)), b(B::allocate(n * n)), c(B::allocate(n * n));
  for (T* const operand : {a.get(), b.get()}) B::for_each(1, n * n, bench::Noise<T>{operand});
  const auto product = [&] { B::matmul(Op::none, Op::transpose, n, n, n, a.get(), b.get(), c.get(), 0); };
  return 2 * double(n) * double(n) * double(n) / (bench::milliseconds(product) * 1e-3);
}
}  // namespace

/// Products first: a GPU that was idle needs work before its clocks are up.
bench::Rates bench::measure_rates() {
  const double fp32 = product_rate<float>(), bf16 = product_rate<rwkv::bf16>();
  return {copy_rate(), fp32, bf16};
}
