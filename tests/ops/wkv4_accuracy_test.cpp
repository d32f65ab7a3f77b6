#include "wkv4_problem.hpp"

// WKV-4 beside its reference in long double: over long times, at extreme keys and decays.
namespace {

using namespace wkv4_test;

constexpr OverTime both[] = {OverTime::sequential, OverTime::scan};

std::mt19937 some_random() {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  return std::mt19937(seed);
}

/// The worst error of both ways, which must not be above `allowed`.
template <class T, dim_t C>
double check(Problem<T, C> p, double allowed) {
  double worst = 0;
  for (const OverTime how : both) {
    INFO(C << " channels, " << p.seq.batch << " sequences of " << p.seq.time
           << (how == both[0] ? ", span after span" : ", scan"));
    const double error = worst_error<Cpu<T>>(p, how);
    CHECK(error <= allowed);
    worst = std::max(worst, error);
  }
  return worst;
}

TEST_CASE("wkv4 is its reference, gradients included, at any length" * doctest::test_suite("accuracy")) {
  auto random = some_random();
  const auto some = [&](dim_t most) { return 1 + dim_t(random() % most); };
  for (int i = 0; i < 3; ++i) {
    check(random_problem<double, 1>({some(3), some(9000)}, random), 1e-12);
    check(random_problem<double, 11>({some(3), some(6000)}, random), 1e-12);
    check(random_problem<float, 11>({some(3), some(6000)}, random), 5e-6);
    check(random_problem<float, 70>({some(2), some(600)}, random), 5e-6);
  }
}

TEST_CASE("wkv4 is its reference, gradients included, where spans and blocks end") {
  auto random = some_random();
  for (dim_t time : {1, 2, 3, 4, 31, 32, 33, 127, 128, 129, 257, 1021, 4093, 4096, 4099}) {
    check(random_problem<double, 5>({2, time}, random), 1e-12);
    check(random_problem<float, 5>({2, time}, random), 5e-6);
  }
}

TEST_CASE("wkv4 keeps its promise over 65536 tokens" * doctest::test_suite("accuracy")) {
  auto random = some_random();
  constexpr Seq seq{1, 65536};
  MESSAGE("float, keys to 4, decays to 1 - 1e-3: " << check(random_problem<float, 11>(seq, random, 4, 1e-3), 1e-5));
  MESSAGE("float, keys to 4, decays to 1 - 1e-7: " << check(random_problem<float, 11>(seq, random, 4, 1e-7), 1e-3));
  MESSAGE("float, keys to 80, decays to 1 - 1e-7: " << check(random_problem<float, 11>(seq, random, 80, 1e-7), 1e-3));
  MESSAGE("double, keys to 4, decays to 1 - 1e-7: " << check(random_problem<double, 5>(seq, random, 4, 1e-7), 1e-12));
  MESSAGE("double, keys to 80, decays to 1 - 1e-7: " << check(random_problem<double, 5>(seq, random, 80, 1e-7), 1e-12));
}

TEST_CASE("wkv4 is its reference where keys jump between 80 and -80, and where they and the values never change" *
          doctest::test_suite("accuracy")) {
  std::mt19937 random(31);
  const auto check_both = [&](auto tag, double allowed) {
    using T = decltype(tag);
    auto jump = random_problem<T, 5>({1, 65536}, random, 1, 1e-7);
    for (T& k : jump.k) k = k < 0 ? T(-80) : T(80);
    auto still = random_problem<T, 5>({1, 65536}, random, 0, 1e-7);
    for (T& v : still.v) v = T(0.7);
    for (T& dy : still.dy) dy = T(0.3);
    MESSAGE("jumps " << check(jump, allowed) << ", constants " << check(still, allowed));
  };
  check_both(float{}, 1e-3), check_both(double{}, 1e-12);
}

TEST_CASE("wkv4 finds a new scale where keys wander, fall and leap") {
  std::mt19937 random(33);
  for (const float far : {30.f, 60.f, 300.f, 3000.f}) {
    auto p = random_problem<float, 11>({2, 700}, random, 4, 1e-4);
    for (std::size_t i = 0; i < p.k.size(); ++i) p.k[i] += far * (i / 11 / 100 % 2 ? -1.f : 1.f);
    CAPTURE(far);
    check(p, far < 100 ? 2e-5 : 4e-3);  // half a unit in the last place of 3000 is 1e-4
  }
}

TEST_CASE("wkv4's ways over time agree, and either goes back after either") {
  std::mt19937 random(37);
  for (double key : {4., 80.}) {
    auto sequential = random_problem<double, 11>({3, 700}, random, key), scan = sequential, mixed = scan, other = scan;
    run(sequential, OverTime::sequential, OverTime::sequential);
    run(scan, OverTime::scan, OverTime::scan);
    run(mixed, OverTime::scan, OverTime::sequential);
    run(other, OverTime::sequential, OverTime::scan);
    check_same(scan, sequential, 1e-12), check_same(mixed, sequential, 1e-12), check_same(other, sequential, 1e-12);
  }
}

template <class T, dim_t C>
void check_finite(Problem<T, C> p) {
  for (const OverTime how : both) {
    run(p, how);
    for (auto* x : p.results()) CHECK(std::all_of(x->begin(), x->end(), [](T a) { return std::isfinite(a); }));
  }
}

TEST_CASE("wkv4 of anything is finite, and its outputs are averages") {
  std::mt19937 random(41);
  const auto check_all = [&](auto tag) {
    using T = decltype(tag);
    constexpr dim_t C = 11;
    for (T size : {T(80), T(500), T(1e4), T(1e6), T(1e30)})
      for (int i = 0; i < 6; ++i) {
        CAPTURE(size);
        auto p = random_problem<T, C>({3, i < 2 ? 700 : 70}, random, size, 1e-7);
        for (dim_t c = 0; c < C; ++c)
          if (i % 3) p.time_decay[c] = T(-16 + 24 * c / (C - 1.)), p.time_first[c] *= i == 2 ? size : T(1);
        for (T& k : p.k)
          if (i % 2) k = k < 0 ? -size : size;
        for (dim_t c = 0; c < 3 * C * 3; ++c)
          if (i == 5 && p.state[c] > T(-1e37)) p.state[c] *= c / C % 3 == 2 ? size : T(1);
        check_finite(p);
        if (i != 5) continue;
        run(p);  // the second sequence has no past: its averages are of v alone
        const T most = *std::max_element(p.v.begin(), p.v.end()), least = *std::min_element(p.v.begin(), p.v.end());
        for (dim_t j = p.seq.time * C; j < 2 * p.seq.time * C; ++j)
          CHECK((p.y[j] <= most + T(1e-5) && p.y[j] >= least - T(1e-5)));
      }
  };
  check_all(float{}), check_all(double{});
}

}  // namespace
