#include <doctest/doctest.h>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/random.hpp>
#include <rwkv/ops/cross_entropy.hpp>

using namespace rwkv;

namespace {
constexpr dim_t V = 13;
using B = Cpu<double>;
using Logits = Tensor<B, Batch, Time, V>;

struct Case {
  Seq seq{2, 5};
  std::vector<double> z;
  std::vector<std::int32_t> target;
  explicit Case(double size) {
    const Random random{3};
    for (dim_t i = 0; i < seq.tokens() * V; ++i) z.push_back(size * random.normals(i)[0]);
    for (dim_t i = 0; i < seq.tokens(); ++i) target.push_back(std::int32_t(random.below(V, i)));
  }
  /// By its definition, the l2wrap of L2Wrap included where it is asked for.
  double objective(double l2wrap) const {
    double total = 0;
    for (dim_t r = 0; r < seq.tokens(); ++r) {
      const double* row = z.data() + r * V;
      const double top = *std::max_element(row, row + V);
      long double sum = 0;
      for (dim_t j = 0; j < V; ++j) sum += std::exp((long double)(row[j] - top));
      total += double(std::log(sum)) + top - row[target[std::size_t(r)]] + l2wrap / 2 * top * top;
    }
    return total / double(seq.tokens());
  }
};
}  // namespace

TEST_CASE("loss and gradient follow the definition, large logits and L2Wrap included") {
  for (const double size : {1.0, 80.0, 1e4})
    for (const double l2wrap : {0.0, 0.3}) {
      Case c(size);
      Scratch<B> scratch;
      const TokenIds target{c.target.data(), c.seq};
      CHECK(cross_entropy<B>(scratch, Logits{c.z.data(), c.seq}, target) ==
            doctest::Approx(c.objective(0)).epsilon(1e-12));
      auto gradient = c.z;
      const double loss = cross_entropy_backward<B>(scratch, Logits{gradient.data(), c.seq}, target, 0.5, l2wrap);
      CHECK(loss == doctest::Approx(c.objective(0)).epsilon(1e-12));
      for (std::size_t i = 0; i < c.z.size(); ++i) {
        const double keep = c.z[i], h = 1e-5;
        c.z[i] = keep + h;
        const double up = c.objective(l2wrap);
        c.z[i] = keep - h;
        const double down = c.objective(l2wrap);
        c.z[i] = keep;
        CHECK(std::abs(0.5 * (up - down) / (2 * h) - gradient[i]) <= 1e-7 * (1 + size * size * 1e-3));
      }
    }
}

TEST_CASE("the first of equal maxima is the one that L2Wrap pulls on") {
  std::vector<double> z(V, 2.0);
  const std::int32_t target = 5;
  Scratch<B> scratch;
  auto plain = z;
  cross_entropy_backward<B>(scratch, Logits{z.data(), {1, 1}}, TokenIds{&target, {1, 1}}, 1, 0.5);
  cross_entropy_backward<B>(scratch, Logits{plain.data(), {1, 1}}, TokenIds{&target, {1, 1}}, 1, 0);
  for (dim_t i = 0; i < V; ++i) CHECK(z[std::size_t(i)] - plain[std::size_t(i)] == doctest::Approx(i == 0 ? 1.0 : 0.0));
}

TEST_CASE("no tokens, no loss") {
  Scratch<B> scratch;
  CHECK(cross_entropy<B>(scratch, Logits{nullptr, {2, 0}}, TokenIds{nullptr, {2, 0}}) == 0);
}
