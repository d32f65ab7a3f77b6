#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include <rwkv/backend/cpu/eigen_products.hpp>
#include <rwkv/backend/cpu/tuned_products.hpp>
#include <rwkv/core/bf16.hpp>

using namespace rwkv;

namespace {

template <class T>
struct Case {
  Op of_a, of_b;
  dim_t m, n, k;
  T beta;
  std::vector<T> a, b, c;

  Case(std::mt19937& random, Op op_a, Op op_b, dim_t rows, dim_t columns, dim_t depth, T old)
      : of_a(op_a), of_b(op_b), m(rows), n(columns), k(depth), beta(old), a(m * k), b(k * n), c(m * n) {
    std::normal_distribution<T> normal;
    for (auto* values : {&a, &b, &c})
      for (T& x : *values) x = normal(random);
    if (beta == 0) std::fill(c.begin(), c.end(), std::numeric_limits<T>::quiet_NaN());
  }

  template <class Products = TunedProducts>
  std::vector<T> computed() const {
    auto out = c;
    Products::matmul(of_a, of_b, m, n, k, a.data(), b.data(), out.data(), beta);
    return out;
  }

  /// The largest error of an element, in roundings of the sum of its terms' magnitudes; infinite where it is no number.
  double error(const std::vector<T>& out) const {
    using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;
    double worst = 0;
    for (dim_t i = 0; i < m; ++i)
      for (dim_t j = 0; j < n; ++j) {
        Wide sum = beta == 0 ? 0 : Wide(beta) * c[i * n + j], size = std::abs(sum);
        for (dim_t p = 0; p < k; ++p) {
          const Wide x = of_a == Op::none ? a[i * k + p] : a[p * m + i],
                     y = of_b == Op::none ? b[p * n + j] : b[j * k + p];
          sum += x * y;
          size += std::abs(x * y);
        }
        const double off = double(std::abs(sum - out[i * n + j]) /
                                  (size * std::numeric_limits<T>::epsilon() + std::numeric_limits<T>::min()));
        worst = off <= worst ? worst : std::isnan(off) ? HUGE_VAL : off;
      }
    return worst;
  }
};

struct AllThreads {
  ~AllThreads() { set_threads(0); }
};

const auto seed = std::random_device{}();
constexpr Op ops[] = {Op::none, Op::transpose};

}  // namespace

template <class Number, class Policy>
struct Of {
  using T = Number;
  using Products = Policy;
};

TEST_CASE_TEMPLATE("a product is right for every shape, and has the same bits for every number of threads", X,
                   Of<float, TunedProducts>, Of<double, TunedProducts>, Of<float, EigenProducts>,
                   Of<double, EigenProducts>) {
  using T = typename X::T;
  using Products = typename X::Products;
  CAPTURE(seed);
  const AllThreads after;
  std::mt19937 random(seed);
  const dim_t sizes[] = {0, 1, 2, 3, 5, 6, 7, 8, 13, 16, 17, 31, 32, 48, 61, 97, 128, 149, 200, 257, 385, 401};
  std::uniform_int_distribution<std::size_t> size(0, std::size(sizes) - 1), old(0, 2);
  for (int round = 0; round < 40; ++round)
    for (const Op of_a : ops)
      for (const Op of_b : ops) {
        const Case<T> one(random, of_a, of_b, sizes[size(random)], sizes[size(random)], sizes[size(random)],
                          T(0.5) * T(old(random)));

        CAPTURE(int(of_a));
        CAPTURE(int(of_b));
        CAPTURE(one.m);
        CAPTURE(one.n);
        CAPTURE(one.k);
        CAPTURE(one.beta);
        set_threads(1);
        const auto alone = one.template computed<Products>();
        CHECK(one.error(alone) <= double(one.k + 2));
        for (int threads : {2, 3}) {
          set_threads(threads);
          const auto shared = one.template computed<Products>();
          CHECK((alone.empty() || std::memcmp(alone.data(), shared.data(), alone.size() * sizeof(T)) == 0));
        }
      }
}

TEST_CASE_TEMPLATE("a product that is packed in several parts is right", T, float, double) {
  CAPTURE(seed);
  std::mt19937 random(seed);
  struct Size {
    dim_t m, n, k;
  };
  for (const Size s : {Size{300, 5800, 400}, Size{5800, 170, 390}, Size{150, 160, 6000}, Size{9, 3000, 800}}) {
    const Op of_b = s.m > s.n ? Op::none : Op::transpose;
    const Case<T> one(random, Op::transpose, of_b, s.m, s.n, s.k, T(1));

    CAPTURE(s.m);
    CAPTURE(s.n);
    CAPTURE(s.k);
    const auto out = one.computed();
    const auto reference = one.template computed<EigenProducts>();
    const T bound = T(8) * T(s.k) * std::numeric_limits<T>::epsilon();  // terms are about 1 in size
    T worst = 0;
    for (std::size_t i = 0; i < out.size(); ++i) worst = std::max(worst, std::abs(out[i] - reference[i]));
    CHECK(worst <= bound);
  }
}

TEST_CASE_TEMPLATE("few rows, as in decoding, are right", T, float, double) {
  CAPTURE(seed);
  const AllThreads after;
  std::mt19937 random(seed);
  for (dim_t m = 1; m <= 9; ++m)
    for (const dim_t n : {1, 5, 300})
      for (const dim_t k : {1, 15, 260})
        for (const T beta : {T(0), T(1), T(0.5)}) {
          const Case<T> one(random, Op::none, Op::transpose, m, n, k, beta);

          CAPTURE(m);
          CAPTURE(n);
          CAPTURE(k);
          CAPTURE(beta);
          set_threads(1);
          const auto alone = one.computed();
          CHECK(one.error(alone) <= double(k + 2));
          set_threads(3);
          CHECK(one.computed() == alone);
        }
}

TEST_CASE("operands need not be aligned, and a product inside a task runs on its thread") {
  CAPTURE(seed);
  std::mt19937 random(seed);
  Case<float> one(random, Op::none, Op::transpose, 70, 90, 50, 0);
  const auto expected = one.computed();
  std::vector<float> a(one.a.size() + 1), b(one.b.size() + 1);
  std::copy(one.a.begin(), one.a.end(), a.begin() + 1);
  std::copy(one.b.begin(), one.b.end(), b.begin() + 1);
  std::vector<std::vector<float>> out(4, std::vector<float>(one.c.size() + 1));
  pool().run(4, [&](dim_t task) {
    TunedProducts::matmul(one.of_a, one.of_b, one.m, one.n, one.k, a.data() + 1, b.data() + 1, out[task].data() + 1,
                          0.0f);
  });
  for (const auto& each : out) CHECK(std::equal(expected.begin(), expected.end(), each.begin() + 1));
}

TEST_CASE_TEMPLATE("batched products have the same bits for every number of threads", Products, TunedProducts,
                   EigenProducts) {
  CAPTURE(seed);
  const AllThreads after;
  std::mt19937 random(seed);
  for (const dim_t side : {16, 64, 200}) {
    const dim_t count = 6;
    const Case<float> all(random, Op::none, Op::none, count * side, side, side, 0);
    const auto b = Case<float>(random, Op::none, Op::none, 1, side * count, side, 0).b;
    std::vector<std::vector<float>> found;
    for (int threads : {1, 2, 3}) {
      set_threads(threads);
      auto& c = found.emplace_back(all.c);
      Products::batched_matmul(
          count, Op::none, Op::transpose, side, side, side, Matrices<const float>{all.a.data(), side, side * side},
          Matrices<const float>{b.data(), side, side * side}, Matrices<float>{c.data(), side, side * side}, 0.0f);
    }
    CHECK(found[0] == found[1]);
    CHECK(found[0] == found[2]);
  }
}

namespace {
/// Operands that are stored shorter give the bits that the same numbers give as floats: widening is exact.
template <class Products, class Left, class Weight, class Out>
void check_stored_weight(dim_t m, dim_t n, dim_t k, Op of_b) {
  const auto numbers = [](dim_t size, unsigned which) {
    std::mt19937 random(which);
    std::normal_distribution<float> normal;
    std::vector<float> x(size);
    for (float& v : x) v = bf16(normal(random));
    return x;
  };
  const auto as = []<class To>(const std::vector<float>& x, To) {
    std::vector<To> y;
    for (float v : x) y.push_back(To(v));
    return y;
  };
  const auto a = numbers(m * k, 1), b = numbers(k * n, 2), c = numbers(m * n, 3);
  auto found = as(c, Out{});
  const auto left = as(a, Left{});
  const auto weight = as(b, Weight{});
  std::vector<float> sums = c;
  Products::matmul(Op::none, of_b, m, n, k, a.data(), b.data(), sums.data(), 0.5f);
  Products::matmul(Op::none, of_b, m, n, k, left.data(), weight.data(), found.data(), 0.5f);
  for (dim_t i = 0; i < m * n; ++i) {
    const float off = std::abs(float(found[i]) - sums[i]);
    if (!(off <= (std::is_same_v<Out, float> ? 0 : 0x1p-8f * std::abs(sums[i]))))
      FAIL_CHECK("product " << m << "x" << n << "x" << k << " at " << i);
  }
}
}  // namespace

TEST_CASE_TEMPLATE("a weight may be stored in another length than what it meets", Products, TunedProducts,
                   EigenProducts) {
  for (const Op of_b : ops)
    for (const dim_t m : {1, 3, 9, 70})
      for (const dim_t n : {1, 65, 300})
        for (const dim_t k : {1, 100, 800}) {
          check_stored_weight<Products, float, bf16, float>(m, n, k, of_b);
          check_stored_weight<Products, bf16, float, float>(m, n, k, of_b);
          check_stored_weight<Products, bf16, float, bf16>(m, n, k, of_b);
        }
}
