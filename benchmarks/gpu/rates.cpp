#include <rwkv/core/buffer.hpp>
#include <rwkv/gpu.hpp>

#include "figures.hpp"
#include "time.hpp"

namespace {
using namespace rwkv;

/// Numbers between -1 and 1 without a pattern: products of equal numbers run faster than numbers do.
template <class T>
struct Noise {
  T* to;
  RWKV_HD void operator()(dim_t, dim_t i) const {
    auto x = static_cast<std::uint32_t>(i) * 0x9e3779b9u;
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    store(to, i, float(x >> 8) / float(1 << 23) - 1);
  }
};

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
  for (T* const operand : {a.get(), b.get()}) B::for_each(1, n * n, Noise<T>{operand});
  const auto product = [&] { B::matmul(Op::none, Op::transpose, n, n, n, a.get(), b.get(), c.get(), 0); };
  return 2 * double(n) * double(n) * double(n) / (bench::milliseconds(product) * 1e-3);
}
}  // namespace

bench::Rates bench::measure_rates() {
  return {copy_rate(), product_rate<float>(), product_rate<bf16>()};
}
