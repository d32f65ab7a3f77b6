#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/quantise.hpp>
#include <rwkv/ops/weight_format.hpp>
#include <vector>

using namespace rwkv;

namespace {

std::vector<float> drawn(dim_t n, unsigned seed) {
  std::mt19937 from(seed);
  std::vector<float> all(static_cast<std::size_t>(n));
  for (float& x : all) x = (float(from() >> 8) * 0x1p-23f - 1) * std::exp2(float(from() % 5));
  return all;
}

template <class Stored>
struct Problem {
  dim_t m, n, k;
  std::vector<float> x = drawn(m * k, 1), y = drawn(m * n, 2), weights = drawn(n * k, 3);
  std::vector<Stored> blocks = std::vector<Stored>(std::size_t(n * k / 32));

  Problem(dim_t rows, dim_t outputs, dim_t inputs) : m(rows), n(outputs), k(inputs) {
    encode<float>(storage_of<Stored>, weights, reinterpret_cast<std::byte*>(blocks.data()));
  }
  template <class B>
  std::vector<float> product(float beta) const {
    std::vector<float> found = y;
    Scratch<B> scratch;
    stored_as<B, Stored>.product(scratch, m, n, k, x.data(), blocks.data(), found.data(), beta);
    return found;
  }
  /// The largest difference from sums in double, over the sum of the terms' sizes and, where activations are rounded to
  /// shorts, what that may add to each.
  double error(const std::vector<float>& found, float beta, bool shorts) const {
    double worst = 0;
    for (dim_t i = 0; i < m; ++i)
      for (dim_t j = 0; j < n; ++j) {
        const auto at = std::size_t(i * n + j);
        double sum = double(beta) * double(y[at]), allowed = 1e-6 * std::abs(sum);
        for (dim_t p = 0; p < k; ++p) {
          const double w = double(load(blocks.data(), j * k + p)), term = double(x[std::size_t(i * k + p)]) * w;
          double largest = 0;
          for (dim_t b = p / 32 * 32; b < p / 32 * 32 + 32; ++b)
            largest = std::max(largest, std::abs(double(x[std::size_t(i * k + b)])));
          sum += term, allowed += 1e-6 * std::abs(term) + (shorts ? std::abs(w) * largest / 65278 : 0);
        }
        worst = std::max(worst, std::abs(double(found[at]) - sum) / allowed);
      }
    return worst;
  }
};

/// Another machine: it has no products by blocks.
struct Plain : Cpu<float> {
  static bool block_matmul() = delete;
};

}  // namespace

TEST_CASE_TEMPLATE("products with weights in blocks are those with their numbers", Stored, Q4_0, Q4_1, Q5_0, Q5_1,
                   Q8_0) {
  for (const dim_t m : {1, 2, 3, 4, 5, 8, 9, 40})
    for (const dim_t n : {1, 17, 64})
      for (const dim_t k : {32, 96, 2080}) {
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        if (n * k * m > 1 << 20) continue;
        const Problem<Stored> problem(m, n, k);
        const bool shorts = m <= 8 || detail::ManyBlockRows<float, Stored>::exists;
        for (const float beta : {0.f, -0.5f}) {
          CHECK(problem.error(problem.template product<Cpu<float>>(beta), beta, shorts) < 1);
          CHECK(problem.error(problem.template product<Plain>(beta), beta, false) < 1);
        }
      }
}

TEST_CASE_TEMPLATE("they do not depend on the number of threads, nor rows on each other", Stored, Q4_1, Q8_0) {
  struct Rows {
    dim_t some, all;
  };
  for (const Rows rows : {Rows{1, 8}, Rows{9, 30}, Rows{30, 1030}}) {
    CAPTURE(rows.all);
    Problem<Stored> problem(rows.all, 200, 320), first(rows.some, 200, 320);
    const auto found = problem.template product<Cpu<float>>(0);
    for (const int threads : {1, 2, 5}) {
      set_threads(threads);
      CHECK(problem.template product<Cpu<float>>(0) == found);
    }
    set_threads(0);
    CHECK(std::equal(first.x.begin(), first.x.end(), problem.x.begin()));
    const auto alone = first.template product<Cpu<float>>(0);
    CHECK(std::equal(alone.begin(), alone.end(), found.begin()));
  }
}

TEST_CASE("what is not finite stays so in its row, and what is tiny does no harm") {
  for (const dim_t rows : {1, 11}) {
    Problem<Q8_0> problem(rows, 5, 64);
    for (const float unending : {INFINITY, NAN}) {
      problem.x[40] = unending;
      const auto found = problem.product<Cpu<float>>(0);
      const bool shorts = rows == 1 || detail::ManyBlockRows<float, Q8_0>::exists;
      for (std::size_t i = 0; i < found.size(); ++i)
        CHECK((shorts ? std::isnan(found[i]) : !std::isfinite(found[i])) == (i < 5));
    }
    for (float& x : problem.x) x = 1e-42f;
    for (const float y : problem.product<Cpu<float>>(0)) CHECK(std::abs(y) < 1e-38f);
  }
}

TEST_CASE_TEMPLATE("rows of a table in blocks are looked up", Stored, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0) {
  const Problem<Stored> problem(1, 7, 96);
  const std::vector<std::int32_t> ids{6, 0, 3};
  std::vector<float> found(3 * 96);
  stored_as<Cpu<float>, Stored>.look_up(3, 96, ids.data(), problem.blocks.data(), found.data());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == load(problem.blocks.data(), ids[i / 96] * 96 + dim_t(i % 96)));
}
