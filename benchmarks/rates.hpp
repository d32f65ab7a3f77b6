#pragma once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/wkv4.hpp>

// What this machine can do at most, with the threads of pool(): the denominators of every floor.
namespace bench {

struct Rates {
  double bytes, exponentials, operations;  ///< a second: to and from memory, of WKV-4's kind, in products
};

namespace detail {
using rwkv::dim_t;

struct Exponentials {  // of numbers that stay in registers: as many as the units give
  float* sink;
  static constexpr dim_t times = 256;
  void operator()(dim_t row, auto c) const {
    using L = rwkv::At<float, decltype(c)>;
    L a = rwkv::broadcast<L>(-0.3f), b = rwkv::broadcast<L>(-0.4f), d = rwkv::broadcast<L>(-0.5f), e = a + b;
    for (dim_t i = 0; i < times / 4; ++i) {
      a = rwkv::wkv4::weight(a) - 1.3f, b = rwkv::wkv4::weight(b) - 1.2f;
      d = rwkv::wkv4::weight(d) - 1.1f, e = rwkv::wkv4::weight(e) - 1.4f;
    }
    rwkv::store(sink, row * 64 + c, (a + b) + (d + e));
  }
};
struct Triad {  // two arrays in, one out
  const float *x, *y;
  float* z;
  dim_t columns;
  void operator()(dim_t row, auto c) const {
    const auto i = row * columns + c;
    rwkv::store(z, i, rwkv::load(x, i) + rwkv::load(y, i));
  }
};

template <class F>
double best_seconds(const F& f) {
  double best = HUGE_VAL;
  for (int i = 0; i < 7; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}
}  // namespace detail

inline Rates measure_rates() {
  using B = rwkv::Cpu<float>;
  using rwkv::dim_t;
  const dim_t rows = 4096, columns = 4096, side = 1536;
  std::vector<float> x(rows * columns, 1), y = x, z = x;
  const double triad = detail::best_seconds([&] {
    B::for_each(rows, columns, detail::Triad{x.data(), y.data(), z.data(), columns});
  });
  const double exps = detail::best_seconds([&] { B::for_each(rows, 64, detail::Exponentials{z.data()}); });
  const double product = detail::best_seconds(
      [&] { B::matmul(rwkv::Op::none, rwkv::Op::transpose, side, side, side, x.data(), y.data(), z.data(), 0); });
  return {12.0 * double(rows * columns) / triad, double(rows * 64 * detail::Exponentials::times) / exps,
          2.0 * double(side * side * side) / product};
}

}  // namespace bench
