#include <doctest/doctest.h>

#include "attention_problem.hpp"

using namespace rwkv;
using namespace attention;

namespace {

template <class T, dim_t H, dim_t D, dim_t W>
void check_against_definition(Seq seq, std::mt19937& random, double tolerance, T spread = 1) {
  INFO(H << " heads of " << D << ", window " << W << ", " << seq.batch << " sequences of " << seq.time);
  auto p = random_problem<T, H, D, W>(seq, random, 3 * W, spread);
  auto want = p.template as<double>();
  run(p), define(want);
  check_same(p, want, tolerance);
}

TEST_CASE("attention is its definition, gradients included") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto some = [&](dim_t most) { return 1 + dim_t(random() % most); };
  for (int i = 0; i < 4; ++i) {
    check_against_definition<double, 1, 1, 7>({some(3), some(60)}, random, 1e-12);
    check_against_definition<double, 3, 5, 40>({some(3), some(150)}, random, 1e-12);
    check_against_definition<double, 2, 64, 300>({some(2), some(200)}, random, 1e-12);
    check_against_definition<double, 1, 19, 1>({some(3), some(30)}, random, 1e-12);
    check_against_definition<float, 1, 5, 90>({some(4), some(150)}, random, 1e-5);
    check_against_definition<float, 2, 64, 130>({some(2), some(300)}, random, 1e-5);
    check_against_definition<float, 2, 20, 33>({some(2), some(300)}, random, 1e-5);
    check_against_definition<double, 3, 8, 65>({some(3), some(100)}, random, 1e-12, 5);
  }
  for (dim_t time :
       {0, 1, 2, 3, 4, 5, 11, 12, 13, 23, 24, 25, 47, 48, 49, 63, 64, 65, 95, 96, 97, 127, 129, 192, 193}) {
    check_against_definition<double, 2, 8, 50>({2, time}, random, 1e-12);
    check_against_definition<float, 1, 16, 250>({2, time}, random, 1e-5);
  }
}

TEST_CASE("attention of few long sequences is its definition") {
  std::mt19937 random(3);
  check_against_definition<double, 1, 5, 30>({1, 500}, random, 1e-12);
  check_against_definition<double, 1, 5, 600>({2, 450}, random, 1e-12);
  check_against_definition<double, 3, 1, 70>({1, 430}, random, 1e-12);
  check_against_definition<float, 1, 16, 1000>({1, 900}, random, 1e-5);
}

/// By one set of kernels.
template <template <class, dim_t> class Attention, class T, dim_t H, dim_t D, dim_t W, class Drops = KeepAll>
void run_on(Problem<T, H, D, W>& p, Drops drops = {}) {
  using B = Cpu<T>;
  Scratch<B> scratch;
  const detail::History<T> history{p.seq, H, D, W, p.position.data()};
  const detail::Keys<const T> k{p.k.data(), p.state_k.data()}, v{p.v.data(), p.state_v.data()};
  const detail::Keys<T> dk{p.dk.data(), p.dstate_k.data()}, dv{p.dv.data(), p.dstate_v.data()};
  Attention<B, D>::template forward<Drops>(scratch, {history, p.q.data(), k, v, p.y.data(), {p.softmax.data()}, drops});
  Attention<B, D>::template backward<Drops>(
      scratch, {history, p.q.data(), k, v, p.y.data(), {p.softmax.data()}, p.dy.data(), p.dq.data(), nullptr, drops},
      dk, dv);
  sum_up(p);
}

TEST_CASE("attention by blocks conforms to attention by rows") {
  std::mt19937 random(5);
  const auto check = [&](auto p, double tolerance) {
    auto want = p;
    run_on<detail::LanesAttention>(p), run_on<detail::ReferenceAttention>(want);
    check_same(p, want, tolerance);
  };
  for (dim_t time : {1, 3, 4, 5, 101, 199}) {
    CAPTURE(time);
    check(random_problem<double, 2, 19, 90>({2, time}, random), 1e-12);
    check(random_problem<float, 2, 64, 400>({3, time}, random), 1e-5);
  }
}

TEST_CASE("attention with dropout is its definition, by blocks, by rows and for a few tokens") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto check = [&](auto p, auto drops, double tolerance) {
    auto want = p.template as<double>();
    auto by_rows = p;
    run(p, drops), define(want, drops), run_on<detail::ReferenceAttention>(by_rows, drops);
    check_same(p, want, tolerance), check_same(by_rows, want, tolerance);
  };
  for (dim_t time : {1, 2, 4, 5, 17, 96, 97, 199}) {
    CAPTURE(time);
    const Random stream{random(), random()};
    check(random_problem<double, 2, 19, 90>({2, time}, random), DropSome<20>{stream}, 1e-12);
    check(random_problem<float, 3, 16, 250>({2, time}, random), DropSome<20>{stream}, 1e-5);
    check(random_problem<float, 1, 5, 7>({3, time}, random), DropSome<95>{stream}, 1e-4);
  }
  check(random_problem<double, 1, 5, 600>({1, 450}, random), DropSome<50>{{7}}, 1e-12);  // in pieces
}

TEST_CASE("where one key is seen, its weight is 1 to the bit, whatever its score") {
  std::mt19937 random(37);
  for (dim_t time : {1, 3, 5, 40}) {
    auto p = random_problem<float, 2, 5, 1>({2, time}, random, 0, 1e3f);
    run(p);
    CHECK(p.y == p.v);
    CHECK(p.dv == p.dy);
    CHECK(std::all_of(p.dq.begin(), p.dq.end(), [](float x) { return x == 0; }));
    CHECK(std::all_of(p.dk.begin(), p.dk.end(), [](float x) { return x == 0; }));
  }
}

TEST_CASE("attention without a past is attention behind an empty one") {
  using T = double;
  using B = Cpu<T>;
  constexpr dim_t H = 2, D = 8, time = 130;
  std::mt19937 random(7);
  auto want = random_problem<T, H, D, time>({1, time}, random);
  auto p = want;
  run(want);
  using Rows = Tensor<B, Batch, Time, H * D>;
  Scratch<B> scratch;
  const Seq s = p.seq;
  const Rows q{p.q.data(), s}, k{p.k.data(), s}, v{p.v.data(), s}, y{p.y.data(), s}, dy{p.dy.data(), s};
  const Tensor<B, Batch, Time, H, 2> softmax{p.softmax.data(), s};
  attention_forward<B, H, D>(scratch, q, k, v, y, softmax);
  attention_backward<B, H, D>(scratch, q, k, v, y, softmax, dy, Rows{p.dq.data(), s}, Rows{p.dk.data(), s},
                              Rows{p.dv.data(), s});
  sum_up(p);
  check_same(p, want, 1e-13);
}

TEST_CASE("attention's gradients are derivatives") {
  using P = Problem<double, 2, 5, 9>;
  std::mt19937 random(11);
  auto p = random_problem<double, 2, 5, 9>({2, 14}, random);
  for (auto* x : {&p.dstate_k, &p.dstate_v}) std::fill(x->begin(), x->end(), 0.);
  run(p);
  const auto loss = [](P at) {
    run(at);
    double sum = 0;
    for (std::size_t i = 0; i < at.y.size(); ++i) sum += at.dy[i] * at.y[i];
    return sum;
  };
  const auto check = [&](Numbers<double> P::*x, Numbers<double> P::*dx) {
    for (std::size_t i = 0; i < (p.*x).size(); ++i) {
      if (std::isnan((p.*x)[i])) continue;
      auto up = p, down = p;
      const double h = 1e-5;
      (up.*x)[i] += h, (down.*x)[i] -= h;
      CHECK((p.*dx)[i] == doctest::Approx((loss(up) - loss(down)) / (2 * h)).epsilon(1e-7));
    }
  };
  check(&P::q, &P::dq), check(&P::k, &P::dk), check(&P::v, &P::dv);
  check(&P::state_k, &P::dstate_k), check(&P::state_v, &P::dstate_v);
}

/// Tokens [first, end) of every sequence as a call of its own; its ring is what the tokens before it left.
template <class T, dim_t H, dim_t D, dim_t W>
Problem<T, H, D, W> part(const Problem<T, H, D, W>& p, dim_t first, dim_t end) {
  constexpr dim_t C = H * D;
  Problem<T, H, D, W> q{{p.seq.batch, end - first}};
  q.state_k = p.state_k, q.state_v = p.state_v;
  for (dim_t b = 0; b < p.seq.batch; ++b) {
    for (auto x : {&Problem<T, H, D, W>::q, &Problem<T, H, D, W>::k, &Problem<T, H, D, W>::v, &Problem<T, H, D, W>::dy})
      std::copy_n((p.*x).begin() + (b * p.seq.time + first) * C, (end - first) * C,
                  (q.*x).begin() + b * (end - first) * C);
    q.position[b] = p.position[b] + T(first);
    for (dim_t t = 0; t < first; ++t) {
      const dim_t row = (dim_t(p.position[b]) + t) % W, i = (b * p.seq.time + t) * C;
      std::copy_n(p.k.begin() + i, C, q.state_k.begin() + (b * W + row) * C);
      std::copy_n(p.v.begin() + i, C, q.state_v.begin() + (b * W + row) * C);
    }
  }
  return q;
}

/// A sequence in pieces: outputs, and gradients when every ring's gradient is handed to the tokens that wrote it.
template <class T, dim_t H, dim_t D, dim_t W>
void check_pieces(Seq seq, const std::vector<dim_t>& cuts, std::mt19937& random, double tolerance) {
  constexpr dim_t C = H * D;
  auto whole = random_problem<T, H, D, W>(seq, random, 0);
  run(whole);
  auto got = whole;
  for (auto* x : {&got.dk, &got.dv}) std::fill(x->begin(), x->end(), T(0));
  for (std::size_t n = 0; n + 1 < cuts.size(); ++n) {
    auto piece = part(whole, cuts[n], cuts[n + 1]);
    run(piece);
    for (dim_t b = 0; b < seq.batch; ++b) {
      for (dim_t t = 0; t < piece.seq.time; ++t)
        for (dim_t c = 0; c < C; ++c) {
          const dim_t from = (b * piece.seq.time + t) * C + c, to = (b * seq.time + cuts[n] + t) * C + c;
          got.y[to] = piece.y[from], got.dq[to] = piece.dq[from];
          got.dk[to] += piece.dk[from], got.dv[to] += piece.dv[from];
        }
      for (dim_t t = std::max<dim_t>(0, cuts[n] - W); t < cuts[n]; ++t)
        for (dim_t c = 0; c < C; ++c) {
          const dim_t from = (b * W + t % W) * C + c, to = (b * seq.time + t) * C + c;
          got.dk[to] += piece.dstate_k[from], got.dv[to] += piece.dstate_v[from];
        }
    }
  }
  for (auto x : {&Problem<T, H, D, W>::y, &Problem<T, H, D, W>::dq, &Problem<T, H, D, W>::dk, &Problem<T, H, D, W>::dv})
    CHECK(difference(got.*x, whole.*x) <= tolerance);
}

TEST_CASE("attention in pieces is attention of the whole") {
  std::mt19937 random(13);
  for (dim_t cut : {0, 1, 47, 60, 118, 119, 120}) {
    CAPTURE(cut);
    check_pieces<double, 2, 5, 37>({2, 120}, {0, cut, 120}, random, 1e-12);
    check_pieces<double, 1, 8, 200>({2, 120}, {0, cut, 120}, random, 1e-12);
    check_pieces<float, 1, 5, 50>({1, 120}, {0, cut, 120}, random, 1e-5);
  }
  std::vector<dim_t> one_by_one(71);
  for (std::size_t i = 0; i < one_by_one.size(); ++i) one_by_one[i] = dim_t(i);
  check_pieces<double, 2, 5, 20>({2, 70}, one_by_one, random, 1e-12);
  check_pieces<double, 2, 5, 1>({2, 10}, {0, 1, 3, 10}, random, 1e-12);
}

TEST_CASE("attention gives the same bits with any number of threads") {
  const auto check = [](Seq seq) {
    const auto with = [&](int threads) {
      set_threads(threads);
      std::mt19937 random(17);
      auto p = random_problem<float, 3, 20, 60>(seq, random);
      run(p);
      return p;
    };
    auto one = with(1);
    for (int threads : {2, 3}) {
      auto some = with(threads);
      for (std::size_t i = 0; i < std::size(names); ++i) CHECK(some.results()[i] == one.results()[i]);
    }
  };
  check({1, 1}), check({2, 3}), check({3, 150}), check({1, 420});
  set_threads(0);
}

TEST_CASE("attention with extreme queries and keys is finite and an average") {
  const auto check = [](auto tag) {
    using T = decltype(tag);
    std::mt19937 random(19);
    for (T size : {T(10), T(1e3), T(1e8), T(1e16)})
      for (dim_t time : {2, 40, 150}) {
        CAPTURE(size);
        CAPTURE(time);
        auto p = random_problem<T, 2, 5, 30>({2, time}, random, 0, size);
        run(p);
        for (const auto& x : p.results()) CHECK(std::all_of(x.begin(), x.end(), [](T a) { return std::isfinite(a); }));
        const T most = *std::max_element(p.v.begin(), p.v.end());
        CHECK(*std::max_element(p.y.begin(), p.y.end()) <= most * T(1.00001));
      }
  };
  check(float{}), check(double{});
}

TEST_CASE("a key that is not a number spoils those who see it, and nobody before") {
  std::mt19937 random(23);
  for (dim_t time : {3, 100}) {
    auto p = random_problem<float, 1, 20, 40>({1, time}, random, 0), clean = p;
    const dim_t at = time / 2;
    p.k[at * 20 + 4] = std::numeric_limits<float>::quiet_NaN();
    run(p), run(clean);
    for (dim_t t = 0; t < time; ++t) {
      CAPTURE(t);
      if (t < at || t >= at + 40)
        CHECK(p.y[t * 20] == clean.y[t * 20]);
      else
        CHECK(std::isnan(p.y[t * 20]));
    }
    for (float worst : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
      p.k[at * 20 + 4] = worst;
      run(p);
      for (dim_t i = 0; i < at * 20; ++i) CHECK(p.y[i] == clean.y[i]);
    }
  }
}

TEST_CASE("a value that is not a number spoils those who see it, and before it no more than its own panel") {
  std::mt19937 random(41);
  constexpr dim_t panel = detail::Tile<float>::wide, window = 40;
  for (dim_t time : {3, 100}) {
    auto p = random_problem<float, 1, 20, window>({1, time}, random, 0), by_rows = p;
    run(p);
    const auto clean = p;
    const dim_t at = time / 2;
    p.v[at * 20 + 4] = by_rows.v[at * 20 + 4] = std::numeric_limits<float>::quiet_NaN();
    run(p), run_on<detail::ReferenceAttention>(by_rows);
    for (dim_t t = 0; t < time; ++t) {
      CAPTURE(t);
      const bool sees = at <= t && t < at + window;
      CHECK(std::isnan(by_rows.y[t * 20 + 4]) == sees);
      if (sees) CHECK(std::isnan(p.y[t * 20 + 4]));
      if (t / panel != at / panel && !sees && t / panel != (at + window) / panel) CHECK(p.y[t * 20] == clean.y[t * 20]);
      CHECK(std::isfinite(p.y[t * 20 + 3]));
    }
  }
}

TEST_CASE("what comes later changes no bit of an output") {
  std::mt19937 random(29);
  auto p = random_problem<float, 2, 20, 300>({1, 230}, random, 0);
  run(p);
  for (dim_t at : {1, 50, 97, 200}) {
    auto q = p;
    for (auto x : {&decltype(p)::q, &decltype(p)::k, &decltype(p)::v})
      for (dim_t i = at * 40; i < 230 * 40; ++i) (q.*x)[i] += 3;
    run(q);
    CHECK(std::equal(q.y.begin(), q.y.begin() + at * 40, p.y.begin()));
  }
}

TEST_CASE("attention without tokens leaves the gradients of the past alone") {
  std::mt19937 random(31);
  auto p = random_problem<float, 2, 5, 8>({3, 0}, random);
  const auto before = p;
  run(p);
  CHECK(p.dstate_k == before.dstate_k);
  CHECK(p.dstate_v == before.dstate_v);
}

}  // namespace
