#include "heads_in_blocks.hpp"

#include "../ops/wkv7_problem.hpp"

// WKV-7 in blocks of threads beside its reference and the portable one. A number is a sum over at most 128 rows of
// states that some 100 tokens made, and rounded every time; what they recall is such a sum again.
namespace {

using namespace wkv7_test;
using test::HostGrid;

constexpr CheckInBlocks check{2 * 128 + 100};

TEST_CASE("wkv7 in blocks is its reference, gradients included, at lengths around its chunks and spans") {
  std::mt19937 random(1);
  for (const dim_t time : {1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 40, 67})
    check(random_problem<double, 2, 16>({2, time}, random));
  for (const dim_t time : {1, 41, 97}) check(random_problem<float, 2, 64>({1, time}, random));
  check(random_problem<double, 1, 64>({2, 37}, random));
}
TEST_CASE("wkv7 in blocks is its reference with heads of any power of two, and the portable one with others") {
  std::mt19937 random(2);
  check(random_problem<double, 3, 4>({2, 70}, random)), check(random_problem<double, 3, 8>({2, 70}, random));
  check(random_problem<float, 3, 32>({2, 70}, random)), check(random_problem<float, 1, 128>({1, 70}, random));
  check(random_problem<float, 3, 20>({2, 70}, random)), check(random_problem<double, 3, 2>({2, 70}, random));
}
TEST_CASE("wkv7 in blocks is its reference at either end of the decays, and where they jump between them") {
  std::mt19937 random(3);
  const std::pair<double, double> spreads[] = {{1, -1e3}, {1, -20}, {1, 20}, {1, 1e3}, {1e3, 0}};
  for (const auto& [spread, shift] : spreads) {
    check(random_problem<double, 2, 16>({2, 70}, random, spread, shift));
    check(random_problem<float, 2, 16>({2, 70}, random, spread, shift));
  }
}
TEST_CASE("wkv7 in blocks is its reference with decays that no model has, down to e^-60") {
  std::mt19937 random(4);
  auto p = random_problem<float, 2, 16>({2, 70}, random);
  for (float& w : p.in[1]) w *= 100;
  check(p);
}
TEST_CASE("wkv7 in blocks is its reference with signals of any size") {
  std::mt19937 random(5);
  for (const double size : {1e-12, 1e6, 1e10})
    for (const std::size_t i : {0, 2, 3}) {
      auto p = random_problem<float, 2, 16>({2, 50}, random);
      for (float& x : p.in[i]) x *= float(size);
      check(p);
    }
}
TEST_CASE("wkv7 in blocks of a decay that is no number is no number after it") {
  std::mt19937 random(6);
  constexpr std::size_t row = 2 * 16;
  auto p = random_problem<float, 2, 16>({1, 40}, random);
  std::fill_n(&p.in[1][21 * row], row, NAN);
  run_on<HostGrid<float>>(p, how, how);
  for (std::size_t i = 0; i < p.y.size(); ++i) CHECK(std::isfinite(p.y[i]) == (i < 21 * row));
}
TEST_CASE("wkv7 in blocks without a way back keeps nothing, and of no tokens leaves the state as it is") {
  std::mt19937 random(17);
  auto p = random_problem<float, 2, 16>({2, 50}, random), q = p;
  run_on<HostGrid<float>>(p, how, how);
  Scratch<HostGrid<float>> scratch;
  q.last = q.state;
  wkv7_forward(scratch, signals<HostGrid<float>, float, 2, 16>(q.in, q.seq), {q.y.data(), q.seq},
               {q.last.data(), q.seq}, {}, how);
  CHECK(q.y == p.y);
  CHECK(q.last == p.last);
  auto none = in_blocks(random_problem<float, 2, 16>({3, 0}, random));
  CHECK(none.last == none.state);
  CHECK(none.dstate == none.dlast);
}
TEST_CASE("wkv7 in blocks of bf16 signals computes in float and rounds what it gives") {
  std::mt19937 random(31);
  const auto p = random_problem<bf16, 2, 64>({1, 50}, random);
  const auto got = in_blocks(p);
  const auto want = in_blocks(p.as<float>());
  check_same(got, want, 0x1p-8);
  CHECK(difference<2, 64>(got.last, want.last, p.seq, true) < 1e-6);
  CHECK(difference<2, 64>(got.dstate, want.dstate, p.seq, true) < 1e-6);
}
TEST_CASE("wkv7 in blocks says where a state must lie") {
  std::mt19937 random(1);
  auto p = random_problem<float, 1, 4>({1, 2}, random);
  Scratch<HostGrid<float>> scratch;
  CHECK_THROWS_WITH_AS(wkv7_forward(scratch, signals<HostGrid<float>, float, 1, 4>(p.in, p.seq), {p.y.data(), p.seq},
                                    {p.starts.data() + 1, p.seq}, {}, how),
                       doctest::Contains("wkv7_forward: expected the state at a multiple of 16 bytes"), Error);
}

}  // namespace
