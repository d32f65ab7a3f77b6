#include <doctest/doctest.h>

#include "attention_check.hpp"

// Attention in blocks of threads where something is out of the ordinary: a past, dropout, few tokens, numbers that are
// none.
using namespace rwkv;
using namespace attention;
using test::HostGrid;

TEST_CASE("attention in blocks finds every row of a ring") {
  std::mt19937 random(5);
  for (dim_t before : {0, 1, 31, 32, 33, 70})
    for (dim_t time : {1, 3, 40}) {
      CAPTURE(before);
      check<double, 1, 8, 33>({3, time}, random, {}, before);
      check<float, 1, 64, 5>({3, time}, random, {}, before);
      check<double, 2, 5, 1>({3, time}, random, {}, before);
    }
}
TEST_CASE("attention in blocks shares the keys of few tokens out to several, and joins what they make") {
  std::mt19937 random(9);
  for (dim_t time : {1, 3}) {
    check<double, 1, 5, 700>({2, time}, random);
    check<float, 3, 64, 300>({2, time}, random, DropSome<20>{{7}});
    check<float, 1, 128, 1000>({1, time}, random);
    check<double, 100, 1, 300>({2, time}, random);  // some of the pieces are longer
  }
}
TEST_CASE("attention in blocks with dropout is its definition") {
  std::mt19937 random(7);
  for (dim_t time : {1, 4, 5, 66, 130}) {
    const Random stream{random(), random()};
    check<double, 2, 8, 90>({2, time}, random, DropSome<20>{stream});
    check<float, 2, 64, 250>({1, time}, random, DropSome<20>{stream});
    check<float, 1, 5, 7>({3, time}, random, DropSome<95>{stream}, 21, 1e-4);
  }
}
TEST_CASE("attention in blocks without a past is attention behind an empty one") {
  using T = double;
  using B = HostGrid<T>;
  constexpr dim_t H = 2, D = 8, time = 130;
  std::mt19937 random(7);
  for (const dim_t t : {dim_t(3), time}) {
    auto want = random_problem<T, H, D, time>({1, t}, random, 0);
    auto p = want;
    run<HostGrid>(want);
    using Rows = Tensor<B, Batch, Time, H * D>;
    Scratch<B> scratch;
    const Seq s = p.seq;
    const Rows q{p.q.data(), s}, k{p.k.data(), s}, v{p.v.data(), s}, y{p.y.data(), s}, dy{p.dy.data(), s};
    const Tensor<B, Batch, Time, H, 2> softmax{p.softmax.data(), s};
    attention_forward<B, H, D>(scratch, q, k, v, y, softmax);
    attention_backward<B, H, D>(scratch, q, k, v, y, softmax, dy, Rows{p.dq.data(), s}, Rows{p.dk.data(), s},
                                Rows{p.dv.data(), s});
    sum_up(p);
    for (std::size_t i = 0; i < std::size(names); ++i) CHECK(p.results()[i] == want.results()[i]);
  }
}
TEST_CASE("where one key is seen, its weight is 1 to the bit, also in blocks") {
  std::mt19937 random(37);
  for (dim_t time : {1, 3, 5, 140}) {
    auto p = random_problem<float, 2, 5, 1>({2, time}, random, 0, 1e3f);
    run<HostGrid>(p);
    CHECK(p.y == p.v);
    CHECK(p.dv == p.dy);
    CHECK(std::all_of(p.dq.begin(), p.dq.end(), [](float x) { return x == 0; }));
    CHECK(std::all_of(p.dk.begin(), p.dk.end(), [](float x) { return x == 0; }));
  }
}
TEST_CASE("attention in blocks with extreme queries and keys is finite and an average") {
  std::mt19937 random(19);
  for (float size : {1e1f, 1e3f, 1e8f, 1e16f})
    for (dim_t time : {2, 40, 150}) {
      CAPTURE(size);
      CAPTURE(time);
      auto p = random_problem<float, 2, 5, 40>({2, time}, random, 0, size);
      run<HostGrid>(p);
      for (const auto& x : p.results())
        CHECK(std::all_of(x.begin(), x.end(), [](float a) { return std::isfinite(a); }));
      CHECK(*std::max_element(p.y.begin(), p.y.end()) <= *std::max_element(p.v.begin(), p.v.end()) * 1.00001f);
    }
}
TEST_CASE("a key that is not a number spoils those who see it, and nobody before, also in blocks") {
  std::mt19937 random(23);
  for (dim_t time : {3, 150}) {
    auto p = random_problem<float, 2, 5, 40>({1, time}, random, 0), clean = p;
    run<HostGrid>(clean);
    const dim_t at = time / 2;
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      p.k[at * 10 + 4] = bad;
      run<HostGrid>(p);
      for (dim_t t = 0; t < time; ++t) {
        CAPTURE(t);
        if (t < at || t >= at + 40)
          CHECK(p.y[t * 10] == clean.y[t * 10]);
        else if (std::isnan(bad))
          CHECK(std::isnan(p.y[t * 10]));
      }
    }
  }
}
TEST_CASE("what comes later changes no bit of an output, also in blocks") {
  std::mt19937 random(29);
  auto p = random_problem<float, 2, 5, 300>({1, 230}, random, 0);
  run<HostGrid>(p);
  for (dim_t at : {1, 50, 128, 200}) {
    auto q = p;
    for (auto x : {&decltype(p)::q, &decltype(p)::k, &decltype(p)::v})
      for (dim_t i = at * 10; i < 230 * 10; ++i) (q.*x)[i] += 3;
    run<HostGrid>(q);
    CHECK(std::equal(q.y.begin(), q.y.begin() + at * 10, p.y.begin()));
  }
}
