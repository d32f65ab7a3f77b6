#include <doctest/doctest.h>

#include <numeric>

#include <rwkv/ops/gpu/attention.hpp>
#include "host_grid.hpp"

#include "run_in_blocks.hpp"

// Attention of bf16 on tensor cores against its definition in double, on the same operands. What may differ follows
// from what is rounded, by u = 2^-8 of itself: weights and gradients of scores before they are multiplied, y and the
// call's gradients when they are stored. All else are floats.
using namespace rwkv;
using namespace attention;
using test::HostGrid;

namespace {
constexpr double u = std::numeric_limits<bf16>::epsilon() / 2;

/// How far from the definition every result may be, where `want` has its y.
template <dim_t H, dim_t D, dim_t W, class Drops>
Problem<double, H, D, W> allowances(const Problem<double, H, D, W>& want, Drops drops) {
  constexpr dim_t C = H * D;
  const dim_t time = want.seq.time;
  const double scale = 1 / std::sqrt(double(D));
  Problem<double, H, D, W> off{want.seq};
  for (dim_t n = 0; n < want.seq.tokens() * H; ++n) {
    const dim_t h = n % H, b = n / H / time, t = n / H % time, i = n * D;
    const dim_t before = dim_t(want.position[b]), last = before + t, first = std::max<dim_t>(0, last - W + 1);
    const auto at = [&](auto& now, auto& past, dim_t s) {
      return s < before ? &past[(b * W + s % W) * C + h * D] : &now[(b * time + s - before) * C + h * D];
    };
    const auto dot = [](const double* a, const double* x) { return std::inner_product(a, a + D, x, 0.); };
    struct Seen {
      double weight, kept, dp;
      const double *k, *v;
      double *dk, *dv;
    };
    std::vector<Seen> all;
    for (dim_t s = first; s <= last; ++s) {
      const double *k = at(want.k, want.state_k, s), *v = at(want.v, want.state_v, s), *q = &want.q[i];
      const double kept =
          drops.template factor<float>(drops.template word<float>(n), detail::columns<float>(s - before));
      all.push_back({std::exp(scale * dot(q, k) - want.log_sum[n]), kept, kept * dot(&want.dy[i], v), k, v,
                     at(off.dk, off.dstate_k, s), at(off.dv, off.dstate_v, s)});
    }
    double along = 0;
    for (dim_t c = 0; c < D; ++c) {
      for (const Seen& x : all) off.y[i + c] += u * x.kept * x.weight * std::abs(x.v[c]);
      off.y[i + c] += u * std::abs(want.y[i + c]);
      along += std::abs(want.dy[i + c]) * off.y[i + c];
    }
    for (const Seen& x : all) {
      const double ds = x.weight * scale * (u * std::abs(x.dp - dot(&want.dy[i], &want.y[i])) + along);
      for (dim_t c = 0; c < D; ++c) {
        off.dq[i + c] += ds * std::abs(x.k[c]), x.dk[c] += ds * std::abs(want.q[i + c]);
        x.dv[c] += u * x.kept * x.weight * std::abs(want.dy[i + c]);
      }
    }
  }
  const auto stored = [&](auto& x, const auto& of) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += u * std::abs(of[i]);
  };
  stored(off.dq, want.dq), stored(off.dk, want.dk), stored(off.dv, want.dv);
  return off;
}

template <dim_t H, dim_t D, dim_t W, class Drops = KeepAll>
void check(Seq seq, std::mt19937& random, Drops drops = {}, dim_t most_before = 3 * W, float spread = 1) {
  INFO(H << " heads of " << D << ", window " << W << ", " << seq.batch << " sequences of " << seq.time);
  const auto p = random_problem<bf16, H, D, W>(seq, random, most_before, spread);
  auto want = p.template as<double>();
  define(want, drops);
  const auto got = run_in_blocks(p, drops).results();
  const auto wanted = want.results(), allowed = allowances(want, drops).results();
  for (std::size_t i = 0; i < std::size(names); ++i) {
    INFO(std::string(names[i]));
    double largest = 1, share = 0;
    for (const double x : wanted[i]) largest = std::max(largest, std::abs(x));
    for (std::size_t n = 0; n < wanted[i].size(); ++n) {
      const double off = std::abs(double(got[i][n]) - wanted[i][n]) / (1.01 * allowed[i][n] + 1e-5 * largest);
      share = off <= share ? share : off;  // NaN stays
    }
    CHECK(share <= 1);
  }
}

/// A machine that runs blocks, and multiplies no fragments.
template <class T>
struct Plain : HostGrid<T> {
  static bool has_tensor_cores() { return false; }
};
}  // namespace

TEST_CASE("attention on tensor cores is its definition, gradients included") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  check<3, 5, 40>({2, 90}, random);
  check<1, 8, 200>({2, 150}, random);
  check<1, 33, 1>({2, 30}, random);
  check<2, 33, 300>({2, 70}, random);
  check<1, 64, 130>({2, 150}, random);
  check<1, 72, 300>({1, 130}, random);
  check<1, 113, 30>({2, 40}, random);
  check<1, 128, 64>({2, 70}, random);
}
TEST_CASE("attention on tensor cores is its definition below, at and above a tile") {
  std::mt19937 random(3);
  for (dim_t time : {0, 1, 4, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129}) check<1, 5, 50>({2, time}, random);
  for (dim_t time : {17, 64, 65, 129}) {
    check<1, 64, 70>({2, time}, random);
    check<1, 128, 300>({1, time}, random);
  }
}
TEST_CASE("attention on tensor cores finds every row of a ring") {
  std::mt19937 random(5);
  for (dim_t before : {0, 1, 31, 32, 33, 70, 200})
    for (dim_t time : {5, 40}) {
      CAPTURE(before);
      check<1, 8, 33>({3, time}, random, {}, before);
      check<1, 5, 5>({3, time}, random, {}, before);
      check<1, 8, 1>({3, time}, random, {}, before);
    }
  check<1, 72, 150>({3, 40}, random, {}, 70);
  check<1, 72, 150>({3, 20}, random, {}, 200);
}
TEST_CASE("attention on tensor cores with dropout is its definition") {
  std::mt19937 random(7);
  for (dim_t time : {5, 100}) {
    const Random stream{random(), random()};
    check<2, 33, 90>({2, time}, random, DropSome<20>{stream});
    check<2, 64, 250>({1, time}, random, DropSome<20>{stream});
    check<1, 128, 70>({2, time}, random, DropSome<50>{stream});
  }
}
TEST_CASE("where one key is seen, its weight is 1 to the bit, also on tensor cores") {
  std::mt19937 random(37);
  for (dim_t time : {5, 140}) {
    const auto check_one = [&](auto p) {
      run<HostGrid>(p);
      const auto same = [](const auto& a, const auto& b) {
        return Numbers<float>(a.begin(), a.end()) == Numbers<float>(b.begin(), b.end());
      };
      CHECK(same(p.y, p.v));
      CHECK(same(p.dv, p.dy));
      CHECK(std::all_of(p.dq.begin(), p.dq.end(), [](float x) { return x == 0; }));
      CHECK(std::all_of(p.dk.begin(), p.dk.end(), [](float x) { return x == 0; }));
    };
    check_one(random_problem<bf16, 2, 5, 1>({2, time}, random, 0, 1e3f));
    check_one(random_problem<bf16, 1, 64, 1>({2, time}, random, 0, 1e3f));
    check_one(random_problem<bf16, 1, 128, 1>({1, time}, random, 0, 1e3f));
  }
}
TEST_CASE("attention on tensor cores with extreme queries and keys is finite and an average") {
  std::mt19937 random(19);
  for (float size : {1e1f, 1e3f, 1e8f, 1e16f})
    for (dim_t time : {5, 40, 150}) {
      CAPTURE(size);
      CAPTURE(time);
      auto p = random_problem<bf16, 2, 33, 30>({2, time}, random, 0, size);
      run<HostGrid>(p);
      for (const auto& x : p.results())
        CHECK(std::all_of(x.begin(), x.end(), [](float a) { return std::isfinite(a); }));
      CHECK(float(*std::max_element(p.y.begin(), p.y.end())) <=
            float(*std::max_element(p.v.begin(), p.v.end())) * (1 + 3 * u));
    }
}
TEST_CASE("a key that is not a number spoils those who see it, and nobody before, also on tensor cores") {
  std::mt19937 random(23);
  constexpr dim_t time = 150, at = time / 2;
  auto p = random_problem<bf16, 1, 5, 40>({1, time}, random, 0), clean = p;
  run<HostGrid>(clean);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    store(p.k.data(), at * 5 + 4, bad);
    run<HostGrid>(p);
    for (dim_t t = 0; t < time; ++t) {
      CAPTURE(t);
      if (t < at || t >= at + 40)
        CHECK(p.y[t * 5].bits == clean.y[t * 5].bits);
      else if (std::isnan(bad))
        CHECK(std::isnan(float(p.y[t * 5])));
    }
  }
}
TEST_CASE("what comes later changes no bit of an output, also on tensor cores") {
  std::mt19937 random(29);
  auto p = random_problem<bf16, 2, 33, 300>({1, 230}, random, 0);
  run<HostGrid>(p);
  for (dim_t at : {1, 128, 200}) {
    auto q = p;
    for (auto x : {&decltype(p)::q, &decltype(p)::k, &decltype(p)::v})
      for (dim_t i = at * 66; i < 230 * 66; ++i) store((q.*x).data(), i, float((q.*x)[i]) + 3);
    run<HostGrid>(q);
    for (dim_t i = 0; i < at * 66; ++i) REQUIRE(q.y[i].bits == p.y[i].bits);
  }
}
TEST_CASE("the backward pass makes the scores of the forward pass, to the bit") {
  // A score of 1e6 is off by 2^-4: a weight of 1 would not be 1, if it were made of another.
  std::mt19937 random(31);
  check<1, 64, 100>({2, 150}, random, {}, 0, 1e3f);
  check<1, 128, 40>({2, 70}, random, {}, 0, 1e3f);
  check<2, 33, 300>({1, 200}, random, {}, 0, 1e3f);
}
TEST_CASE("operands may lie anywhere") {
  std::mt19937 random(41);
  constexpr dim_t D = 8, time = 70;
  const auto p = random_problem<bf16, 1, D, time>({1, time}, random, 0);
  const auto shifted = [](const Numbers<bf16>& x, dim_t by) {
    auto y = x;
    y.insert(y.begin(), std::size_t(by), bf16(7.f));
    return y;
  };
  const auto forward = [&](dim_t by) {
    using B = HostGrid<bf16>;
    Scratch<B> scratch;
    auto q = shifted(p.q, by), k = shifted(p.k, by), v = shifted(p.v, by), y = q;
    Numbers<float> softmax(time * 2);
    attention_forward<B, 1, D>(scratch, {q.data() + by, p.seq}, {k.data() + by, p.seq}, {v.data() + by, p.seq},
                               {y.data() + by, p.seq}, {softmax.data(), p.seq});
    return Numbers<float>(y.begin() + by, y.end());
  };
  CHECK(forward(1) == forward(0));
  CHECK(forward(6) == forward(0));
}
TEST_CASE("tensor cores are taken where there are some, for more than a few tokens") {
  std::mt19937 random(43);
  for (const dim_t time : {4, 5}) {
    const auto p = random_problem<bf16, 2, 8, 9>({2, time}, random);
    auto tensor = p, plain = p;
    run<HostGrid>(tensor), run<Plain>(plain);
    auto wide = p.template as<float>();
    run<HostGrid>(wide);
    for (std::size_t i = 0; i < p.y.size(); ++i) CHECK(plain.y[i].bits == bf16(wide.y[i]).bits);
    CHECK(plain.softmax == wide.softmax);
    CHECK((tensor.softmax == wide.softmax) == (time == 4));
  }
}
