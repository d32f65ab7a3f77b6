#include <doctest/doctest.h>

#include <vector>

#include <rwkv/core/random.hpp>
#include <rwkv/ops/affine.hpp>
#include <rwkv/ops/each_head.hpp>

#include "host_grid.hpp"
#include "in_both_orders.hpp"

// Sums over tokens in blocks of threads: for so few rows that one block reads them, and for many.
using namespace rwkv;
using test::HostGrid;
using test::in_both_orders;

namespace {
std::vector<double> drawn(dim_t n, std::uint64_t stream) {
  std::vector<double> x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = Random{5, stream}.normals(i)[0];
  return x;
}
void check_near(const std::vector<double>& expected, const std::vector<double>& found) {
  REQUIRE(expected.size() == found.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (!(std::abs(expected[i] - found[i]) <= 1e-11 * std::max(1.0, std::abs(expected[i]))))
      FAIL_CHECK("at " << i << ": expected " << expected[i] << ", found " << found[i]);
}

template <dim_t C>
void try_bias(dim_t tokens) {
  CAPTURE(tokens);
  const Seq seq{1, tokens};
  auto dy = drawn(tokens * C, 1), expected = drawn(C, 2), found = expected;
  for (dim_t i = 0; i < tokens * C; ++i) expected[std::size_t(i % C)] += dy[std::size_t(i)];
  Scratch<HostGrid<double>> scratch;
  bias_backward<HostGrid<double>>(scratch, View<double, Shape<Batch, Time, C>>{dy.data(), seq},
                                  View<double, Shape<C>>{found.data(), {}});
  check_near(expected, found);
}

/// x becomes x times the sum of its head; sums are those of x and of what x becomes.
struct TimesSum {
  dim_t size;
  double* x;
  RWKV_HD void operator()(const auto& across, dim_t row) const {
    (*this)(across, row, [](int, auto, auto) {});
  }
  RWKV_HD void operator()(const auto& across, dim_t row, const auto& add) const {
    const double sum = across.sum([&](auto c) { return load(x, row * size + c); });
    across.each([&](auto c) {
      const auto i = row * size + c;
      const auto before = load(x, i);
      store(x, i, before * sum);
      add(0, c, before), add(1, c, before * sum);
    });
  }
};
template <class B, int H, dim_t Size>
void try_heads(dim_t tokens) {
  CAPTURE(tokens);
  constexpr dim_t C = H * Size;
  const auto x = drawn(tokens * C, 3);
  auto y = x, first = drawn(C, 4), second = drawn(C, 5);
  auto plain = x, all = first, all_second = second;
  for (dim_t row = 0; row < tokens * H; ++row) {
    double sum = 0;
    for (dim_t c = 0; c < Size; ++c) sum += x[std::size_t(row * Size + c)];
    for (dim_t c = 0; c < Size; ++c) {
      const auto i = std::size_t(row * Size + c), p = std::size_t(row % H * Size + c);
      y[i] = x[i] * sum, first[p] += x[i], second[p] += y[i];
    }
  }
  auto summed = x;
  for_each_head<B, H, Size>(tokens, TimesSum{Size, plain.data()});
  check_near(y, plain);
  Scratch<B> scratch;
  for_each_head<B, H, Size>(scratch, tokens, TimesSum{Size, summed.data()}, std::array{all.data(), all_second.data()});
  auto again = x, alone = drawn(C, 5);
  for_each_head<B, H, Size>(scratch, tokens, TimesSum{Size, again.data()},
                            std::array<double*, 2>{nullptr, alone.data()});
  check_near(second, alone);
  for_each_head<B, H, Size>(scratch, tokens, TimesSum{Size, plain.data()}, std::array<double*, 2>{});  // nobody asks
  check_near(y, summed);
  check_near(first, all);
  check_near(second, all_second);
}
}  // namespace

TEST_CASE("the gradient of a bias is a sum over tokens, few or many") {
  in_both_orders([] {
    for (const dim_t tokens : {0, 1, 63, 64, 65, 200, 4097}) try_bias<1>(tokens), try_bias<33>(tokens);
    try_bias<300>(130);
  });
}
TEST_CASE("every head of every token is met once, and sums over tokens are complete") {
  in_both_orders([] {
    for (const dim_t tokens : {0, 1, 15, 16, 17, 150}) {
      try_heads<HostGrid<double>, 3, 4>(tokens), try_heads<HostGrid<double>, 1, 32>(tokens);
      try_heads<HostGrid<double>, 2, 33>(tokens), try_heads<HostGrid<double>, 2, 64>(tokens);
    }
    try_heads<HostGrid<double>, 3, 5>(1100);
  });
  for (const dim_t tokens : {0, 1, 63, 64, 65, 200}) try_heads<Cpu<double>, 3, 5>(tokens);
}
