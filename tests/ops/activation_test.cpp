#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/activation.hpp>
#include <rwkv/testing/draw.hpp>
#include <rwkv/testing/options.hpp>

using namespace rwkv;

namespace {
long double exact(activation::Silu, long double x) {
  return x / (1 + std::exp(-x));
}
long double exact(activation::Relu, long double x) {
  return std::max(x, 0.0L);
}
long double exact(activation::Mish, long double x) {
  return x * std::tanh(std::log1p(std::exp(x)));
}

/// How far value and derivative are off at x, in units of what T can say of the largest of |x| and 1.
template <class A, class T>
void check(T x) {
  const long double size = std::max(1.0L, std::abs(static_cast<long double>(x))), step = 1e-6L * size,
                    unit = std::numeric_limits<T>::epsilon() * size;
  INFO("x = ", double(x));
  CHECK(double(std::abs(A::value(x) - exact(A{}, x)) / unit) < 4);
  if (std::abs(x) < 1e-5) return;  // the kink of relu
  const long double derivative = (exact(A{}, x + step) - exact(A{}, x - step)) / (2 * step);
  CHECK(double(std::abs(A::derivative(x) - derivative)) < 8 * double(std::numeric_limits<T>::epsilon()) + 1e-11);
}
}  // namespace

TEST_CASE_TEMPLATE("activations and their derivatives are those of their formulas", A, activation::Silu,
                   activation::Relu, activation::Mish) {
  const std::uint64_t seed = testing::Options::default_seed();
  INFO("seed ", seed);
  testing::Draw draw(seed);
  for (int i = 0; i < 400; ++i) {
    const double x = draw.normal() * (i % 4 == 0 ? 30 : 3);
    check<A>(x), check<A>(float(x));
  }
  for (const double x :
       {0.0, 1e-30, -1e-30, 19.999, 20.0, 20.001, 80.0, -80.0, 88.0, -88.0, -104.0, 700.0, -745.0, 1e4, -1e4})
    check<A>(x), check<A>(float(x));
}

TEST_CASE_TEMPLATE("a register of numbers gives what each of them gives", A, activation::Silu, activation::Relu,
                   activation::Mish) {
  constexpr int width = native_width<float>;
  testing::Draw draw(testing::Options::default_seed());
  float x[width];
  for (float& one : x) one = float(10 * draw.normal());
  const auto value = A::value(load(x, Lanes<width>{0})), derivative = A::derivative(load(x, Lanes<width>{0}));
  for (int i = 0; i < width; ++i) {
    CHECK(value[i] == A::value(x[i]));
    CHECK(derivative[i] == A::derivative(x[i]));
  }
}
