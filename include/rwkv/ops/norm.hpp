#pragma once
#include <vector>

#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>

namespace rwkv {
namespace detail {
/// The sum of squares of a block of numbers, whose last one may be shorter.
template <class T>
struct SumOfSquares {
  static constexpr dim_t block = 1 << 14;
  dim_t n;
  const T* x;
  T* sums;
  RWKV_HD void operator()(dim_t row) const {
    constexpr int W = native_width<T>;
    const dim_t first = row * block, end = first + block < n ? first + block : n;
    Pack<T, W> a{}, b{};
    dim_t i = first;
    for (; i + 2 * W <= end; i += 2 * W) {
      const auto p = load(x, Lanes<W>{i}), q = load(x, Lanes<W>{i + W});
      a += p * p, b += q * q;
    }
    T total = reduce_lanes(a + b, [](auto p, auto q) { return p + q; });
    for (; i < end; ++i) total += x[i] * x[i];
    sums[row] = total;
  }
};

/// The sum of n numbers, in order and in double.
template <class B>
double sum_on_host(dim_t n, const compute_of<typename B::scalar>* x) {
  std::vector<compute_of<typename B::scalar>> host(static_cast<std::size_t>(n));
  Accum<B>::download(host.data(), x, n);
  double total = 0;
  for (const auto value : host) total += value;
  return total;
}
}  // namespace detail

/// The sum of squares of n numbers in full precision, in a fixed order; infinite or NaN where one of them is.
template <class B>
double sum_of_squares(Scratch<B>& scratch, dim_t n, const compute_of<typename B::scalar>* x) {
  using Kernel = detail::SumOfSquares<compute_of<typename B::scalar>>;
  const auto frame = scratch.frame();
  const dim_t blocks = (n + Kernel::block - 1) / Kernel::block;
  auto* sums = scratch.accum(blocks);
  B::for_each_row(blocks, Kernel{n, x, sums});
  return detail::sum_on_host<B>(blocks, sums);
}

}  // namespace rwkv

#include <rwkv/ops/gpu/norm.hpp>
