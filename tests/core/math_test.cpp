#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include <rwkv/core/math.hpp>
#include <rwkv/core/random.hpp>

using namespace rwkv;

namespace {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// Units in the last place between x and the exact value; none where they differ by less than `nothing`.
template <class T>
double ulp(T x, long double exact, long double nothing = 0) {
  if (std::abs((long double)x - exact) < nothing) return 0;
  if (std::isnan(exact)) return std::isnan(x) ? 0 : 1e30;
  const T rounded = T(exact);
  if (std::isinf(rounded) || std::isinf(x)) return x == rounded ? 0 : 1e30;
  const T next = std::nextafter(std::abs(rounded), std::numeric_limits<T>::infinity());
  return double(std::abs((long double)x - exact) / ((long double)next - std::abs(rounded)));
}

/// Random bit patterns, plain numbers of every size, and the corners.
template <class T>
std::vector<T> arguments() {
  std::vector<T> all;
  const Random random{99};
  for (int i = 0; i < 40000; ++i) {
    const Bits<T> bits = Bits<T>(random.bits(i));
    T x;
    std::memcpy(&x, &bits, sizeof x);
    all.push_back(x);
    all.push_back(T(random.normals(i)[0] * std::exp2(random.uniform(i) * 10 - 3)));
    all.push_back(T(1 + random.normals(i)[1] * 0.1));
  }
  using Limits = std::numeric_limits<T>;
  for (const T x : {T(0),
                    -T(0),
                    T(1),
                    -T(1),
                    T(88.7),
                    T(88.73),
                    T(-87.3),
                    T(-87.4),
                    T(-103),
                    T(-104),
                    T(709.7),
                    T(-745),
                    T(-746),
                    Limits::min(),
                    Limits::denorm_min(),
                    Limits::max(),
                    -Limits::max(),
                    Limits::infinity(),
                    -Limits::infinity(),
                    Limits::quiet_NaN()})
    all.push_back(x);
  all.resize(all.size() / 64 * 64);
  return all;
}

template <class T, class Ours, class Exact>
double worst(const char* name, Ours ours, Exact exact, long double nothing = 0) {
  constexpr int W = native_width<T>;
  const auto xs = arguments<T>();
  double worst = 0;
  for (std::size_t i = 0; i < xs.size(); i += W) {
    const auto pack = ours(load(xs.data(), Lanes<W>{dim_t(i)}));
    for (int j = 0; j < W; ++j) {
      const T x = xs[i + std::size_t(j)];
      const double far = ulp(T(pack[j]), exact((long double)x), nothing);
      if (far > worst) worst = far;
      if (far > 1e6) FAIL_CHECK(name << "(" << x << ") = " << T(pack[j]));
      const T one = ours(x);
      CHECK_MESSAGE(ulp(one, exact((long double)x), nothing) <= 4, name << "(" << x << ")");
    }
  }
  return worst;
}

}  // namespace

TEST_CASE_TEMPLATE("exp, log, tanh and sigmoid are right to the last places", T, float, double) {
  CHECK(worst<T>(
            "exp", [](auto x) { return math::exp(x); }, [](long double x) { return std::exp(x); }) <= 1.1);
  CHECK(worst<T>(
            "log", [](auto x) { return math::log(x); }, [](long double x) { return std::log(x); }) <= 1.1);
  CHECK(worst<T>(
            "tanh", [](auto x) { return math::tanh(x); }, [](long double x) { return std::tanh(x); }) <= 2.6);
  CHECK(worst<T>(
            "sigmoid", [](auto x) { return math::sigmoid(x); }, [](long double x) { return 1 / (1 + std::exp(-x)); },
            std::numeric_limits<T>::min()) <= 3);
  CHECK(worst<T>(
            "sqrt", [](auto x) { return math::sqrt(x); }, [](long double x) { return std::sqrt(x); }) <= 0.51);
}

TEST_CASE_TEMPLATE("exp_nonpositive is exp where it is normal, and small where it is not", T, float, double) {
  const Random random{5};
  for (int i = 0; i < 20000; ++i) {
    const T x = -T(random.uniform(i) * 86);
    CHECK(ulp(math::exp_nonpositive(x), std::exp((long double)x)) <= 1.5);
  }
  for (const T x : {T(-800), T(-1e30), std::numeric_limits<T>::lowest()}) {
    CHECK(math::exp_nonpositive(x) > 0);
    CHECK(math::exp_nonpositive(x) < T(2e-38));
  }
  CHECK(math::exp_nonpositive(T(0)) == 1);
}

TEST_CASE_TEMPLATE("lanes fold in a fixed order", T, float, double) {
  constexpr int W = native_width<T>;
  T xs[W];
  for (int j = 0; j < W; ++j) xs[j] = T(j + 1);
  CHECK(reduce_lanes(load(xs, Lanes<W>{0}), [](auto a, auto b) { return a + b; }) == T(W) * (W + 1) / 2);
  CHECK(reduce_lanes(load(xs, Lanes<W>{0}), [](auto a, auto b) { return math::max(a, b); }) == W);
}
