#include "heads_in_blocks.hpp"

#include "../ops/wkv6_problem.hpp"

// WKV-5 and 6 in blocks of threads beside their reference and the portable ones. A number is a sum over at most 128
// rows of states that some 100 tokens made, and rounded every time.
namespace {

using namespace wkv6_test;
using test::HostGrid;

constexpr CheckInBlocks check{128 + 100};

TEST_CASE("wkv6 in blocks is its reference, gradients included, at lengths around its chunks and spans") {
  std::mt19937 random(1);
  for (const dim_t time : {1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 40, 67})
    check(random_problem<double, 2, 16>({2, time}, random));
  for (const dim_t time : {1, 41, 97}) check(random_problem<float, 2, 64>({1, time}, random));
  check(random_problem<double, 1, 64>({2, 37}, random));
}
TEST_CASE("wkv6 in blocks is its reference with heads of any power of two, and the portable one with others") {
  std::mt19937 random(2);
  check(random_problem<double, 3, 4>({2, 70}, random)), check(random_problem<double, 3, 8>({2, 70}, random));
  check(random_problem<float, 3, 32>({2, 70}, random)), check(random_problem<float, 1, 128>({1, 70}, random));
  check(random_problem<float, 3, 20>({2, 70}, random)), check(random_problem<double, 3, 2>({2, 70}, random));
}
TEST_CASE("wkv6 in blocks is its reference where decays lie anywhere from e^-60 to 1") {
  std::mt19937 random(3);
  const std::pair<double, double> ranges[] = {{-40, -30}, {4, 4.1}, {-16, 4.1}, {-1, 1}};
  for (const auto& [from, to] : ranges) {
    check(random_problem<double, 2, 16>({2, 70}, random, from, to));
    check(random_problem<float, 2, 16>({2, 70}, random, from, to));
  }
}
TEST_CASE("wkv6 in blocks is its reference with signals of any size") {
  std::mt19937 random(5);
  for (const double size : {1e-12, 1e6, 1e10})
    for (const std::size_t i : {0, 2, 3}) {
      auto p = random_problem<float, 2, 16>({2, 50}, random);
      for (float& x : p.in[i]) x *= float(size);
      check(p);
    }
}
TEST_CASE("wkv6 in blocks of a decay that is no number is no number after it") {
  std::mt19937 random(6);
  constexpr std::size_t row = 2 * 16;
  auto p = random_problem<float, 2, 16>({1, 40}, random);
  std::fill_n(&p.in[1][21 * row], row, NAN);
  run_on<HostGrid<float>>(p, how, how);
  for (std::size_t i = 0; i < p.y.size(); ++i) CHECK(std::isfinite(p.y[i]) == (i < 22 * row));
}
TEST_CASE("wkv5 in blocks is wkv6 with the same decays for all tokens, and adds to gradients of parameters") {
  std::mt19937 random(8);
  constexpr dim_t H = 2, N = 16, C = H * N;
  using M = HostGrid<double>;
  auto p = random_problem<double, H, N>({2, 50}, random);
  for (std::size_t i = C; i < p.y.size(); ++i) p.in[1][i] = p.in[1][i - C];
  const auto want = expected<double>(p);
  Numbers<double> sums(C);
  for (std::size_t i = 0; i < p.y.size(); ++i) sums[i % C] += want.d[1][i];
  auto got = in_blocks(p, [&](auto& q) {
    const Seq s = q.seq;
    const auto of = [&](auto& x) { return Tensor<M, Batch, Time, C>{x.data(), s}; };
    using Signals = wkv6::Signals<M, H, N, Tensor<M, C>, Tensor<M, C>>;
    Numbers<double> dw(C, 1.), du(C, 2.);
    const Signals in{of(q.in[0]), of(q.in[2]), of(q.in[3]), {q.in[1].data(), s}, {q.u.data(), s}};
    const Signals d{of(q.d[0]), of(q.d[2]), of(q.d[3]), {dw.data(), s}, {du.data(), s}};
    Scratch<M> scratch;
    q.last = q.state, q.dstate = q.dlast;
    wkv6_forward(scratch, in, of(q.y), {q.last.data(), s}, {q.starts.data(), s}, how);
    wkv6_backward(scratch, in, {q.starts.data(), s}, of(q.dy), d, {q.dstate.data(), s}, how);
    for (std::size_t c = 0; c < C; ++c) {
      CHECK(dw[c] - 1 == doctest::Approx(sums[c]).epsilon(1e-11));
      CHECK(du[c] - 2 == doctest::Approx(want.du[c]).epsilon(1e-11));
    }
    q.d[1] = want.d[1], q.du = want.du;
  });
  check_same(got, want, check.allowed<double>());
}
TEST_CASE("wkv6 in blocks without a way back keeps nothing, and of no tokens leaves the state as it is") {
  std::mt19937 random(17);
  auto p = random_problem<float, 2, 16>({2, 50}, random), q = p;
  run_on<HostGrid<float>>(p, how, how);
  Scratch<HostGrid<float>> scratch;
  q.last = q.state;
  wkv6_forward(scratch, inputs<HostGrid<float>>(q), {q.y.data(), q.seq}, {q.last.data(), q.seq}, {}, how);
  CHECK(q.y == p.y);
  CHECK(q.last == p.last);
  auto none = in_blocks(random_problem<float, 2, 16>({3, 0}, random));
  CHECK(none.last == none.state);
  CHECK(none.dstate == none.dlast);
}
TEST_CASE("wkv6 in blocks of bf16 signals computes in float and rounds what it gives") {
  std::mt19937 random(31);
  const auto p = random_problem<bf16, 2, 64>({1, 50}, random);
  const auto got = in_blocks(p);
  const auto want = in_blocks(p.as<float>());
  check_same(got, want, 0x1p-8);
  CHECK(difference<2, 64>(got.last, want.last, p.seq, true) < 1e-6);
  CHECK(difference<2, 64>(got.dstate, want.dstate, p.seq, true) < 1e-6);
}
TEST_CASE("wkv6 in blocks says where a state must lie") {
  std::mt19937 random(1);
  auto p = random_problem<float, 1, 4>({1, 2}, random);
  Scratch<HostGrid<float>> scratch;
  CHECK_THROWS_WITH_AS(
      wkv6_forward(scratch, inputs<HostGrid<float>>(p), {p.y.data(), p.seq}, {p.starts.data() + 1, p.seq}, {}, how),
      doctest::Contains("wkv6_forward: expected the state at a multiple of 16 bytes"), Error);
}

}  // namespace
