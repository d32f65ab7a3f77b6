#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/activation.hpp>

using namespace rwkv;

TEST_CASE_TEMPLATE("gelu is x Phi(x), and its derivative is the derivative, far into both tails", T, float, double) {
  using Numbers = View<T, Shape<Batch, 1>>;
  std::vector<T> x, y, dy, dx;
  for (int i = -12000; i <= 12000; ++i) x.push_back(T(i) / 1000);
  y = dx = x, dy.assign(x.size(), T(1));
  const Seq seq{dim_t(x.size()), 1};
  activation_forward<Cpu<T>, activation::Gelu>(Numbers{x.data(), seq}, Numbers{y.data(), seq});
  activation_backward<Cpu<T>, activation::Gelu>(Numbers{x.data(), seq}, Numbers{dy.data(), seq},
                                                Numbers{dx.data(), seq});
  constexpr double u = std::numeric_limits<T>::epsilon();
  double worst = 0, derivative = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double exact = x[i];  // in double, the rounding of x / sqrt(2) would show
    const double z = double(x[i]), below = double(std::erfc(-exact / std::sqrt(2.0L)) / 2);
    const double bell = double(std::exp(-exact * exact / 2) / std::sqrt(2 * std::acos(-1.0L)));
    // x^2 is off by half a rounding, which e^(-x^2/2) makes x^2 / 4 of; the rest is the polynomial, summed up
    const double share = 5 + z * z / 4;
    worst = std::max(worst, std::abs(double(y[i]) - z * below) / (u * std::abs(z) * below * share + 1e-37));
    derivative = std::max(
        derivative, std::abs(double(dx[i]) - below - z * bell) / (u * (below + std::abs(z) * bell) * share + 1e-37));
  }
  CHECK(worst < 1);
  CHECK(derivative < 1);
}
