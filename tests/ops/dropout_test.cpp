#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/dropout.hpp>

using namespace rwkv;

namespace {

template <class T, int Percent, dim_t C>
std::vector<T> ones_dropped(dim_t rows, Random random) {
  std::vector<T> x(std::size_t(rows * C), T(1)), y = x;
  using Rows = Tensor<Cpu<T>, Batch, Time, C>;
  dropout<Cpu<T>>(DropSome<Percent>{random}, Rows{x.data(), {1, rows}}, Rows{y.data(), {1, rows}});
  return y;
}

/// How far `count` of n draws of probability p are from their mean, in deviations.
double deviations(double count, double n, double p) {
  return std::abs(count - n * p) / std::sqrt(n * p * (1 - p));
}

}  // namespace

TEST_CASE("dropout leaves out its share, in every row and column, and scales the rest") {
  constexpr dim_t rows = 1000, C = 250;
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const auto y = ones_dropped<float, 20, C>(rows, {seed});
    double all = 0, other = 0;
    std::vector<double> of_row(rows), of_column(C);
    for (dim_t r = 0; r < rows; ++r)
      for (dim_t c = 0; c < C; ++c) {
        const float x = y[std::size_t(r * C + c)];
        other += x != 0 && x != 1.25f;
        if (x == 0) ++all, ++of_row[std::size_t(r)], ++of_column[std::size_t(c)];
      }
    CHECK(other == 0);
    CHECK(deviations(all, rows * C, 0.2) < 4);  // once in 16000
    for (const double n : of_row) CHECK(deviations(n, C, 0.2) < 6);
    for (const double n : of_column) CHECK(deviations(n, rows, 0.2) < 6);
  }
}

TEST_CASE("what is dropped in one place says nothing of any other: rows, columns, streams, in pairs") {
  constexpr dim_t rows = 64, C = 512;
  const auto a = ones_dropped<float, 50, C>(rows, {1, 1}), b = ones_dropped<float, 50, C>(rows, {1, 2}),
             c = ones_dropped<float, 50, C>(rows, {2, 1});
  const auto alike = [&](const auto& x, const auto& y, dim_t shift_rows, dim_t shift) {
    double same = 0, n = 0;
    for (dim_t r = 0; r + shift_rows < rows; ++r)
      for (dim_t i = 0; i + shift < C; ++i)
        same += x[std::size_t(r * C + i)] == y[std::size_t((r + shift_rows) * C + i + shift)], ++n;
    return deviations(same, n, 0.5);
  };
  CHECK(alike(a, b, 0, 0) < 5);
  CHECK(alike(a, c, 0, 0) < 5);
  for (dim_t shift = 1; shift < 100; ++shift) {
    CAPTURE(shift);
    CHECK(alike(a, a, 0, shift) < 5);
    if (shift < rows / 2) CHECK(alike(a, a, shift, 0) < 5);
    if (shift < rows / 2) CHECK(alike(a, a, shift, shift) < 5);
  }
}

TEST_CASE("float and double, lanes and single numbers drop the same") {
  constexpr dim_t rows = 20, C = 37;
  const auto x = ones_dropped<float, 30, C>(rows, {9, 4});
  const auto y = ones_dropped<double, 30, C>(rows, {9, 4});
  const DropSome<30> drops{{9, 4}};
  int different = 0;
  for (dim_t r = 0; r < rows; ++r)
    for (dim_t c = 0; c < C; ++c) {
      const auto i = std::size_t(r * C + c);
      const double one = drops.factor<double>(drops.word<double>(r), detail::columns<double>(c));
      different += (x[i] == 0) != (one == 0) || y[i] != one;
    }
  CHECK(different == 0);
}

TEST_CASE("nothing is dropped where dropout is off") {
  DropoutStreams dropout;
  CHECK_FALSE(dropout.next().active);
  dropout.on = true;
  const DropoutStream one = dropout.next(), other = dropout.next();
  CHECK(one.active);
  CHECK(one.random.bits(0) != other.random.bits(0));
}
