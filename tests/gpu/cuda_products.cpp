#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <rwkv/core/random.hpp>
#include <rwkv/gpu.hpp>

#include "../backend/memory.hpp"

// What cuBLAS and cuBLASLt are asked for, beside what the conformance suite finds of their products.
using namespace rwkv;
using test::Memory;

namespace {
template <class T>
std::vector<T> equal(dim_t n, double x) {
  return std::vector<T>(static_cast<std::size_t>(n), T(x));
}
}  // namespace

TEST_CASE("floats are multiplied as floats, not as TF32") {
  constexpr dim_t n = 1024;
  const double x = 1 + 1.0 / 4096;  // 12 bits; TF32 keeps 10
  const Memory<Gpu<float>> a(equal<float>(n * n, x)), b(equal<float>(n * n, 1)), row(equal<float>(n, 0));
  Memory<Gpu<float>> c(equal<float>(n * n, 0));
  Gpu<float>::matmul(Op::none, Op::transpose, n, n, n, a.data, b.data, c.data, 0);
  for (const float sum : c.host()) REQUIRE(sum == float(n * x));
  REQUIRE(Gpu<float>::matmul_add_row(Op::none, Op::transpose, n, n, n, a.data, b.data, row.data, c.data));
  for (const float sum : c.host()) REQUIRE(sum == float(n * x));
  Gpu<float>::batched_matmul(4, Op::none, Op::transpose, n / 4, n, n, Matrices<const float>{a.data, n, n * n / 4},
                             Matrices<const float>{b.data, n, 0}, Matrices{c.data, n, n * n / 4}, 0);
  for (const float sum : c.host()) REQUIRE(sum == float(n * x));
}

TEST_CASE("sums of bf16 products are floats on the way, also where they are added up in parts") {
  constexpr dim_t m = 64, n = 64;
  for (const dim_t k : {1 << 12, 1 << 16}) {
    std::vector<bf16> a(static_cast<std::size_t>(m * k)), b(static_cast<std::size_t>(n * k));
    for (std::size_t i = 0; i < a.size(); ++i)
      a[i] = bf16(Random{1, 1}.uniform(i)), b[i] = bf16(Random{1, 2}.uniform(i));
    const Memory<Gpu<bf16>> on_a(a), on_b(b);
    Memory<Gpu<bf16>> on_c(equal<bf16>(m * n, 0));
    Gpu<bf16>::matmul(Op::none, Op::transpose, m, n, k, on_a.data, on_b.data, on_c.data, 0);
    const auto c = on_c.host();
    double worst = 0;
    for (dim_t i = 0; i < m * n; ++i) {
      double sum = 0;
      for (dim_t p = 0; p < k; ++p)
        sum += double(a[std::size_t(i / n * k + p)]) * double(b[std::size_t(i % n * k + p)]);
      worst = std::max(worst, std::abs(double(c[std::size_t(i)]) / sum - 1));
    }
    CHECK(worst <= std::ldexp(1.0, -9) + 1e-4);  // one rounding of the whole
  }
}

TEST_CASE_TEMPLATE("cuBLASLt has a way to add a row, without a workspace, for every layer of GPT-2", T, float, bf16) {
  using B = Gpu<T>;
  constexpr dim_t most = 8192, widest = 3072;
  const Memory<B> x(equal<T>(most * widest, 1)), w(equal<T>(768 * widest, 1)), row(equal<T>(widest, 3));
  Memory<B> y(equal<T>(most * widest, 0));
  struct Size {
    dim_t out, in;
  };
  int fallbacks = 0;
  for (const dim_t tokens : {dim_t(1), dim_t(8), dim_t(37), most})
    for (const Size size : {Size{768, 768}, Size{widest, 768}, Size{768, widest}}) {
      const auto& [out, in] = size;
      const bool made = B::matmul_add_row(Op::none, Op::transpose, tokens, out, in, x.data, w.data, row.data, y.data);
      if (!made) {
        MESSAGE("cuBLASLt has none for " << tokens << " tokens, " << in << " to " << out);
        ++fallbacks;
        continue;
      }
      T found[2];
      B::download(&found[0], y.data, 1);
      B::download(&found[1], y.data + tokens * out - 1, 1);
      CHECK(found[0] == T(float(in + 3)));
      CHECK(found[1] == T(float(in + 3)));
    }
  CHECK(fallbacks == 0);
}
