#include <rwkv/gpu.hpp>

#include "figures.hpp"
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
  B::fill(a.get(), n * n, T(1)), B::fill(b.get(), n * n, T(1));
  const auto product = [&] { B::matmul(Op::none, Op::transpose, n, n, n, a.get(), b.get(), c.get(), 0); };
  return 2 * double(n) * double(n) * double(n) / (bench::milliseconds(product) * 1e-3);
}
}  // namespace

bench::Rates bench::measure_rates() {
  return {copy_rate(), product_rate<float>(), product_rate<bf16>()};
}
