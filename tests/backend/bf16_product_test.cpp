#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <rwkv/backend/cpu/tuned_products.hpp>
#include <rwkv/core/bf16.hpp>

using namespace rwkv;

namespace {

const auto seed = std::random_device{}();
constexpr Op ops[] = {Op::none, Op::transpose};

std::size_t at(dim_t i) {
  return static_cast<std::size_t>(i);
}
template <class T>
std::vector<T> numbers(std::mt19937& random, dim_t n) {
  std::normal_distribution<float> normal;
  std::vector<T> x(at(n));
  for (T& v : x) v = T(normal(random));
  return x;
}
template <class T>
bool same_bits(const std::vector<T>& x, const std::vector<T>& y) {
  return x.size() == y.size() && (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0);
}

struct AllThreads {
  ~AllThreads() { set_threads(0); }
};

/// `count` products of matrices whose rows have `gap` numbers more than columns, which nothing may touch.
template <class Out>
struct Products {
  Op of_a, of_b;
  dim_t count, m, n, k, gap;
  float beta;
  std::vector<bf16> a, b;
  std::vector<Out> c;
  dim_t a_row = (of_a == Op::none ? k : m) + gap, b_row = (of_b == Op::none ? n : k) + gap, c_row = n + gap;
  dim_t a_size = a_row * (of_a == Op::none ? m : k), b_size = b_row * (of_b == Op::none ? k : n), c_size = c_row * m;

  Products(std::mt19937& random, Op op_a, Op op_b, dim_t matrices, dim_t rows, dim_t columns, dim_t depth, dim_t apart,
           float old)
      : of_a(op_a), of_b(op_b), count(matrices), m(rows), n(columns), k(depth), gap(apart), beta(old) {
    a = numbers<bf16>(random, count * a_size), b = numbers<bf16>(random, count * b_size);
    c = numbers<Out>(random, count * c_size);
    if (beta == 0) std::fill(c.begin(), c.end(), Out(std::numeric_limits<float>::quiet_NaN()));
    const bf16 forbidden(std::numeric_limits<float>::infinity());
    for (dim_t i = 0; i < count * a_size; ++i)
      if (i % a_row >= a_row - gap) a[at(i)] = forbidden;
    for (dim_t i = 0; i < count * b_size; ++i)
      if (i % b_row >= b_row - gap) b[at(i)] = forbidden;
  }

  template <class By = TunedProducts>
  std::vector<Out> computed() const {
    auto out = c;
    if (count == 1 && gap == 0)
      By::matmul(of_a, of_b, m, n, k, a.data(), b.data(), out.data(), beta);
    else
      By::batched_matmul(count, of_a, of_b, m, n, k, Matrices<const bf16>{a.data(), a_row, a_size},
                         Matrices<const bf16>{b.data(), b_row, b_size}, Matrices<Out>{out.data(), c_row, c_size}, beta);
    return out;
  }

  /// The largest error of an element as a share of what is allowed: every one of k steps rounds a sum that is no larger
  /// than the magnitudes of its terms, as do beta and the sums of blocks of k; then the result is rounded to Out.
  double error(const std::vector<Out>& out) const {
    double worst = 0;
    for (dim_t matrix = 0; matrix < count; ++matrix)
      for (dim_t i = 0; i < m; ++i)
        for (dim_t j = 0; j < n; ++j) {
          const std::size_t here = at(matrix * c_size + i * c_row + j);
          double sum = beta == 0 ? 0 : double(beta) * double(float(c[here])), size = std::abs(sum);
          for (dim_t p = 0; p < k; ++p) {
            const double x = float(a[at(matrix * a_size + (of_a == Op::none ? i * a_row + p : p * a_row + i))]),
                         y = float(b[at(matrix * b_size + (of_b == Op::none ? p * b_row + j : j * b_row + p))]);
            sum += x * y;
            size += std::abs(x * y);
          }
          const double in_sums = double(k + 3 + k / 256) * 0x1p-24 * size;
          const double allowed = in_sums + (std::is_same_v<Out, bf16> ? 0x1p-8 * (std::abs(sum) + in_sums) : 0);
          const double off = std::abs(sum - double(float(out[here]))) / (allowed + 0x1p-126);
          worst = off <= worst ? worst : std::isnan(off) ? HUGE_VAL : off;
        }
    return worst;
  }
  bool touched_a_gap(const std::vector<Out>& out) const {
    for (dim_t i = 0; i < count * c_size; ++i)
      if (i % c_row >= n && std::memcmp(&out[at(i)], &c[at(i)], sizeof(Out)) != 0) return true;
    return false;
  }
};

template <class Out>
void check(const Products<Out>& one) {
  CAPTURE(seed);
  CAPTURE(int(one.of_a));
  CAPTURE(int(one.of_b));
  CAPTURE(one.count);
  CAPTURE(one.m);
  CAPTURE(one.n);
  CAPTURE(one.k);
  CAPTURE(one.gap);
  CAPTURE(one.beta);
  const AllThreads after;
  set_threads(1);
  const auto alone = one.computed();
  CHECK(one.error(alone) <= 1);
  CHECK(!one.touched_a_gap(alone));
  CHECK(same_bits(alone, one.computed()));
  for (const int threads : {2, 3}) {
    set_threads(threads);
    CHECK(same_bits(alone, one.computed()));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("a product of bf16 is right for every shape, with the same bits for every number of threads", Out,
                   float, bf16) {
  std::mt19937 random(seed);
  const dim_t sizes[] = {0, 1, 2, 3, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 61, 64, 97, 128, 149, 200, 257};
  std::uniform_int_distribution<std::size_t> size(0, std::size(sizes) - 1);
  std::uniform_int_distribution<int> old(0, 2);
  for (int round = 0; round < 25; ++round)
    for (const Op of_a : ops)
      for (const Op of_b : ops)
        check(Products<Out>(random, of_a, of_b, 1, sizes[size(random)], sizes[size(random)], sizes[size(random)], 0,
                            0.5f * float(old(random))));
}

TEST_CASE_TEMPLATE("a product of bf16 of depth 1, of odd depth, and in several blocks of depth is right", Out, float,
                   bf16) {
  std::mt19937 random(seed);
  for (const dim_t k : {1, 3, 767, 769, 1537, 2305})
    for (const Op of_a : ops)
      for (const Op of_b : ops)
        for (const float beta : {0.0f, 1.0f}) check(Products<Out>(random, of_a, of_b, 1, 37, 43, k, 0, beta));
}

TEST_CASE_TEMPLATE("an element of a product of bf16 has the same bits beside however many columns", Out, float, bf16) {
  std::mt19937 random(seed);
  const dim_t m = 20, k = 801, few = 37, many = 64;
  for (const float beta : {0.0f, 0.5f, 1.0f}) {
    const Products<Out> all(random, Op::none, Op::transpose, 1, m, many, k, 0, beta);  // rows of b make columns
    const auto whole = all.computed();
    std::vector<Out> part;
    for (dim_t i = 0; i < m; ++i) part.insert(part.end(), all.c.begin() + i * many, all.c.begin() + i * many + few);
    TunedProducts::matmul(Op::none, Op::transpose, m, few, k, all.a.data(), all.b.data(), part.data(), beta);
    int differ = 0;
    for (dim_t i = 0; i < m; ++i)
      differ += std::memcmp(&part[at(i * few)], &whole[at(i * many)], at(few) * sizeof(Out)) != 0;
    CAPTURE(seed);
    CAPTURE(beta);
    CHECK(differ == 0);
  }
}

TEST_CASE_TEMPLATE("few rows of bf16, as in decoding, are right", Out, float, bf16) {
  std::mt19937 random(seed);
  for (dim_t m = 1; m <= 9; ++m)
    for (const dim_t n : {1, 5, 70})
      for (const dim_t k : {1, 31, 33, 64, 260})
        for (const float beta : {0.0f, 0.5f})
          check(Products<Out>(random, Op::none, Op::transpose, 1, m, n, k, 0, beta));
}

TEST_CASE_TEMPLATE("many products of bf16 whose rows lie apart are right", Out, float, bf16) {
  std::mt19937 random(seed);
  for (const Op of_a : ops)
    for (const Op of_b : ops)
      for (const dim_t gap : {0, 1, 7})
        for (const dim_t side : {1, 16, 33, 150})
          for (const dim_t k : {1, 15, 64}) check(Products<Out>(random, of_a, of_b, 3, side, side + 1, k, gap, 0.5f));
}

TEST_CASE("infinities and NaNs of bf16 reach the elements that they reach as floats, and no others") {
  std::mt19937 random(seed);
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const dim_t m : {1, 3, 40})
    for (const dim_t n : {1, 45})
      for (const dim_t k : {1, 2, 33, 800})
        for (const Op of_a : ops)
          for (const Op of_b : ops) {
            Products<float> one(random, of_a, of_b, 1, m, n, k, 0, 0);
            std::uniform_int_distribution<dim_t> in_a(0, m * k - 1), in_b(0, k * n - 1);
            one.a[at(in_a(random))] = bf16(infinity);
            one.b[at(in_b(random))] = bf16(n > 1 ? -infinity : nan);
            if (m > 1) one.a[at(in_a(random))] = bf16(nan);
            if (n > 1) one.b[at(in_b(random))] = bf16(0);
            const std::vector<float> a(one.a.begin(), one.a.end()), b(one.b.begin(), one.b.end());
            std::vector<float> expected(at(m * n));
            TunedProducts::matmul(of_a, of_b, m, n, k, a.data(), b.data(), expected.data(), 0.0f);
            const auto found = one.computed();
            bool same = true;
            for (std::size_t i = 0; i < found.size(); ++i)
              same &= std::isfinite(expected[i]) ? std::isfinite(found[i])
                      : std::isnan(expected[i])  ? std::isnan(found[i])
                                                 : found[i] == expected[i];
            CAPTURE(m);
            CAPTURE(n);
            CAPTURE(k);
            CHECK(same);
          }
}

TEST_CASE("a bf16 too small to be normal counts as itself, or as 0 where pairs are multiplied by a unit for them") {
#ifdef __AVX512BF16__
  const bool vanishes = true;
#else
  const bool vanishes = false;
#endif
  const dim_t m = 20, n = 20, k = 32;
  std::vector<bf16> a(at(m * k), bf16(0)), b(at(k * n), bf16(1));
  const bf16 small(0x1p-130f);
  for (dim_t i = 0; i < m; ++i) a[at(i * k + 3)] = small;
  std::vector<float> c(at(m * n));
  TunedProducts::matmul(Op::none, Op::none, m, n, k, a.data(), b.data(), c.data(), 0.0f);
  for (const float x : c) CHECK(x == (vanishes ? 0 : float(small)));
}
