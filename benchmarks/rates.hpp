#pragma once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/wkv4.hpp>

// What this machine can do at most, with the threads of pool(): the denominators of every floor.
namespace bench {

struct Rates {
  double bytes, exponentials, operations;  ///< a second: to and from memory, of WKV-4's kind, in products of floats
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

/// Products of T that stay in registers, enough of them for none to wait for another.
template <class T>
struct Multiplications {
  using Factors = rwkv::detail::Factors<T, T>;
  using L = typename Factors::L;
  static constexpr int sums = sizeof(L) == 64 ? 16 : 12;
  static constexpr dim_t times = 1 << 13, operations = 2 * times * sums * rwkv::width_of<L> * Factors::together;
  float operator()() const {
    const std::vector<typename Factors::Number> numbers(64, typename Factors::Number(1.0f));
    auto x = Factors::each(numbers.data());
    const auto y = x;
    L sum[sums];
#pragma GCC unroll 16
    for (int j = 0; j < sums; ++j) sum[j] = rwkv::broadcast<L>(float(j));  // or one sum would stand for all
    for (dim_t i = 0; i < times; ++i) {
#if defined(__x86_64__)
      asm("" : "+v"(x));  // or x y, which does not change, would be multiplied once
#endif
#pragma GCC unroll 16
      for (int j = 0; j < sums; ++j) sum[j] = Factors::add(sum[j], x, y);
    }
    L total = sum[0];
#pragma GCC unroll 16
    for (int j = 1; j < sums; ++j) total += sum[j];
    return rwkv::reduce_lanes(total, [](auto u, auto v) { return u + v; });
  }
};

/// Products by the unit for matrices of bf16, where there is one, of operands that lie in the nearest cache.
struct MatrixProduct {
  static constexpr rwkv::dim_t depth = 384, times = 64, operations = 2 * 32 * 32 * depth * times;
  std::vector<rwkv::bf16> row = std::vector<rwkv::bf16>(depth), pairs = std::vector<rwkv::bf16>(32 * depth);
  std::vector<float> sums = std::vector<float>(32 * 32);
  void operator()() {
    [[maybe_unused]] const rwkv::detail::MatrixUnit::Use use;
    for (rwkv::dim_t i = 0; i < times; ++i)
      rwkv::detail::MatrixUnit::multiply(32, depth, row.data(), 0, pairs.data(), sums.data(), 32, true);
  }
};

template <class F>
double best_seconds(F&& f, int times = 7) {
  double best = HUGE_VAL;
  for (int i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}
}  // namespace detail

/// Operations a second, two to a product and its addition, in registers alone: what no product of T can exceed. That of
/// one thread, in moments that other programs rarely disturb, times the threads: too much where two share a core.
template <class T>
double multiplication_rate() {
  volatile float sink = 0;
  const double seconds = detail::best_seconds([&] { sink = detail::Multiplications<T>{}(); }, 1000);
  double rate = double(detail::Multiplications<T>::operations) / seconds;
  if (std::is_same_v<T, rwkv::bf16> && rwkv::detail::MatrixUnit::available())
    rate = std::max(rate, detail::MatrixProduct::operations / detail::best_seconds(detail::MatrixProduct{}, 1000));
  return double(rwkv::pool().threads()) * rate;
}

/// Reads bytes and does next to nothing with them; gives what keeps the reading from being left out.
inline float read_all(const float* x, rwkv::dim_t n) {
  using namespace rwkv;
  constexpr int W = native_width<float>;
  constexpr dim_t ahead = 1024;
  const dim_t pieces = std::min<dim_t>(pool().threads(), std::max<dim_t>(1, n >> 16));
  std::vector<float> found(static_cast<std::size_t>(pieces));
  pool().run(pieces, [&](dim_t piece) {
    Pack<float, W> sum[8]{};
    const dim_t end = n * (piece + 1) / pieces;
    for (dim_t i = n * piece / pieces; i + 8 * W <= end; i += 8 * W)
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j) {
        prefetch(x, Lanes<W>{std::min(i + j * W + ahead, n - W)});  // prefetchers stop where a page ends
        sum[j] += load(x, Lanes<W>{i + j * W});
      }
    for (int j = 1; j < 8; ++j) sum[0] += sum[j];
    found[static_cast<std::size_t>(piece)] = reduce_lanes(sum[0], [](auto u, auto v) { return u + v; });
  });
  return std::accumulate(found.begin(), found.end(), 0.0f);
}

inline Rates measure_rates() {
  using B = rwkv::Cpu<float>;
  using rwkv::dim_t;
  const dim_t rows = 4096, columns = 4096;
  std::vector<float> x(rows * columns, 1), y = x, z = x;
  const double triad = detail::best_seconds([&] {
    B::for_each(rows, columns, detail::Triad{x.data(), y.data(), z.data(), columns});
  });
  const double exps = detail::best_seconds([&] { B::for_each(rows, 64, detail::Exponentials{z.data()}); });
  return {12.0 * double(rows * columns) / triad, double(rows * 64 * detail::Exponentials::times) / exps,
          multiplication_rate<float>()};
}

}  // namespace bench
