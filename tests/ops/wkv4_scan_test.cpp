#include "wkv4_problem.hpp"

// Walk and scan beside the recurrence in long double, over long times and at extreme keys and decays.
namespace {

using namespace wkv4;

constexpr OverTime both[] = {OverTime::sequential, OverTime::scan};
template <class T>
constexpr double exact = sizeof(T) == 4 ? 1e-6 : 1e-13;

template <class T, dim_t C>
void check(Seq seq, std::mt19937& random, double key = 4, bool extreme = false) {
  auto p = random_problem<T, C>(seq, random, key, extreme);
  for (const OverTime how : both) {
    INFO(C << " channels, " << seq.batch << " sequences of " << seq.time << ", keys to " << key
           << (how == OverTime::sequential ? ", walk" : ", scan"));
    check_exact(p, how, exact<T>);
  }
}

TEST_CASE("wkv4 is the recurrence, gradients included") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto some = [&](dim_t most) { return 1 + dim_t(random() % most); };
  for (int i = 0; i < 3; ++i) {
    check<double, 1>({some(3), some(9000)}, random);
    check<double, 11>({some(3), some(6000)}, random);
    check<double, 70>({some(2), some(600)}, random);
    check<float, 11>({some(3), some(6000)}, random);
    check<float, 70>({some(2), some(600)}, random);
  }
  for (dim_t time : {1, 2, 31, 32, 33, 127, 128, 129, 257, 1021, 4093, 4096, 4099}) {
    check<double, 5>({2, time}, random);
    check<float, 5>({2, time}, random);
  }
}

TEST_CASE("wkv4 is the recurrence at extreme decays and keys") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (double key : {0., 1., 4., 30., 80.}) {
    check<double, 13>({2, 3001}, random, key, true);
    check<float, 13>({2, 3001}, random, key, true);
    check<double, 9>({1, 65536}, random, key, true);
    check<float, 9>({1, 65536}, random, key, true);
  }
}

TEST_CASE("wkv4 is the recurrence where keys jump between 80 and -80, and where they and the values never change") {
  std::mt19937 random(31);
  const auto check_both = [&](auto tag) {
    using T = decltype(tag);
    auto jump = random_problem<T, 13>({1, 65536}, random, 1, true);
    for (T& k : jump.k) k = k < 0 ? T(-80) : T(80);
    auto still = random_problem<T, 13>({1, 65536}, random, 0, true);
    for (T& v : still.v) v = T(0.7);
    for (T& dy : still.dy) dy = T(0.3);
    for (const OverTime how : both) check_exact(jump, how, exact<T>), check_exact(still, how, exact<T>);
  };
  check_both(float{}), check_both(double{});
}

TEST_CASE("wkv4's scan and walk agree, and either goes back after either") {
  std::mt19937 random(37);
  for (double key : {4., 80.}) {
    auto walk = random_problem<double, 19>({3, 700}, random, key), scan = walk, mixed = walk, other = walk;
    run(walk, OverTime::sequential, OverTime::sequential);
    run(scan, OverTime::scan, OverTime::scan);
    run(mixed, OverTime::scan, OverTime::sequential);
    run(other, OverTime::sequential, OverTime::scan);
    check_same(scan, walk, 1e-12), check_same(mixed, walk, 1e-12), check_same(other, walk, 1e-12);
  }
}

TEST_CASE("wkv4's scan of no tokens leaves everything alone") {
  std::mt19937 random(39);
  auto p = random_problem<float, 9>({3, 0}, random);
  run(p, OverTime::scan);
  CHECK(p.last == p.state);
  CHECK(p.dstate == p.dlast);
}

TEST_CASE("wkv4 of anything is finite") {
  std::mt19937 random(41);
  for (double key : {80., 500., 1e6, 1e30})
    for (const OverTime how : both) {
      CAPTURE(key);
      auto p = random_problem<float, 9>({2, 700}, random, key, true);
      run(p, how);
      for (auto* x : p.results()) CHECK(std::all_of(x->begin(), x->end(), [](float a) { return std::isfinite(a); }));
    }
}

TEST_CASE("wkv4's scan works in place, and without starts") {
  std::mt19937 random(43);
  using B = Cpu<float>;
  constexpr dim_t C = 19;
  auto p = random_problem<float, C>({2, 5000}, random);
  run(p, OverTime::scan);
  const Seq s = p.seq;
  auto k = p.k, v = p.v, last = p.state, dstate = p.dlast, y = p.k;
  Numbers<float> dw(C), du(C);
  Scratch<B> scratch;
  const Tensor<B, C> w{p.time_decay.data(), s}, u{p.time_first.data(), s};
  using Signal = Tensor<B, Batch, Time, C>;
  wkv4_forward<B, C>(scratch, w, u, Signal{y.data(), s}, {v.data(), s}, {y.data(), s}, {last.data(), s}, {nullptr, s},
                     OverTime::scan);
  CHECK(y == p.y);
  CHECK(last == p.last);
  wkv4_backward<B, C>(scratch, w, u, Signal{k.data(), s}, {v.data(), s}, {p.starts.data(), s}, {p.dy.data(), s},
                      {k.data(), s}, {v.data(), s}, {dw.data(), s}, {du.data(), s}, {dstate.data(), s}, OverTime::scan);
  CHECK(k == p.dk);
  CHECK(v == p.dv);
  CHECK(dstate == p.dstate);
  CHECK(dw == p.dtime_decay);
  CHECK(du == p.dtime_first);
}

TEST_CASE("wkv4's scan gives the same bits with any number of threads") {
  const auto with = [](int threads) {
    set_threads(threads);
    std::mt19937 random(29);
    auto few = random_problem<float, 20>({1, 9000}, random), many = random_problem<float, 20>({5, 700}, random);
    run(few, OverTime::automatic), run(many, OverTime::automatic);
    auto all = few.results();
    for (auto* x : many.results()) all.push_back(x);
    std::vector<Numbers<float>> copies;
    for (auto* x : all) copies.push_back(*x);
    return copies;
  };
  const auto one = with(1);
  for (int threads : {2, 3, 7}) CHECK(with(threads) == one);
  set_threads(0);
}

}  // namespace
