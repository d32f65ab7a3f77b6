#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/wkv4.hpp>

namespace {

using namespace rwkv;

template <class T>
using Numbers = std::vector<T>;

template <class T, dim_t C>
struct Problem {
  Seq seq;
  Numbers<T> time_decay = Numbers<T>(C), time_first = time_decay, dtime_decay = time_decay, dtime_first = time_decay;
  Numbers<T> k = Numbers<T>(seq.tokens() * C), v = k, y = k, dy = k, dk = k, dv = k;
  Numbers<T> state = Numbers<T>(seq.batch * 3 * C), last = state, dstate = state, dlast = state;
  Numbers<T> starts = Numbers<T>(seq.batch * seq.spans() * 3 * C);

  template <class U>
  Problem<U, C> as() const {
    Problem<U, C> p{seq};
    const auto copy = [](auto& to, const auto& from) { to.assign(from.begin(), from.end()); };
    copy(p.time_decay, time_decay), copy(p.time_first, time_first), copy(p.k, k), copy(p.v, v), copy(p.dy, dy);
    copy(p.state, state), copy(p.dlast, dlast);
    return p;
  }
  std::vector<Numbers<T>*> results() { return {&y, &last, &dk, &dv, &dtime_decay, &dtime_first, &dstate}; }
};
constexpr const char* names[] = {"y", "last", "dk", "dv", "dtime_decay", "dtime_first", "dstate"};

template <class T, dim_t C>
void run(Problem<T, C>& p, OverTime forth, OverTime back) {
  using B = Cpu<T>;
  const Seq s = p.seq;
  Numbers<T> sums(s.batch * 2 * C);
  Scratch<B> scratch;
  const auto of = [&](Numbers<T>& x) { return Tensor<B, Batch, Time, C>{x.data(), s}; };
  const Tensor<B, C> w{p.time_decay.data(), s}, u{p.time_first.data(), s};
  const Tensor<B, Batch, Spans, 3, C> starts{p.starts.data(), s};
  p.last = p.state, p.dstate = p.dlast;
  std::fill(p.dtime_decay.begin(), p.dtime_decay.end(), T(0));
  std::fill(p.dtime_first.begin(), p.dtime_first.end(), T(0));
  wkv4_forward<B, C>(scratch, w, u, of(p.k), of(p.v), of(p.y), {p.last.data(), s}, starts, forth);
  wkv4_backward<B, C>(scratch, w, u, of(p.k), of(p.v), starts, of(p.dy), of(p.dk), of(p.dv), {p.dtime_decay.data(), s},
                      {p.dtime_first.data(), s}, {p.dstate.data(), s}, {sums.data(), s}, back);
}

/// The recurrence and its adjoint, token after token, as the formulas stand, in numbers that hold any exponent.
template <dim_t C>
void recur(Problem<long double, C>& p) {
  using R = long double;
  const dim_t T = p.seq.time;
  Numbers<R> as(T + 1), bs(T + 1);
  for (dim_t b = 0; b < p.seq.batch; ++b)
    for (dim_t c = 0; c < C; ++c) {
      const auto at = [&](dim_t t) { return (b * T + t) * C + c; };
      const auto row = [&](dim_t r) { return (b * 3 + r) * C + c; };
      const R w = -std::exp(p.time_decay[c]), u = std::exp(p.time_first[c]), fade = std::exp(w), rest = std::expm1(w);
      const auto faded = [&](R a) { return w > -0.5L ? a + rest * a : fade * a; };
      R pp = p.state[row(2)];
      as[0] = p.state[row(0)] * std::exp(pp), bs[0] = p.state[row(1)] * std::exp(pp);
      for (dim_t t = 0; t < T; ++t) {
        const R e = std::exp(p.k[at(t)]);
        p.y[at(t)] = (as[t] + u * e * p.v[at(t)]) / (bs[t] + u * e);
        as[t + 1] = faded(as[t]) + e * p.v[at(t)], bs[t + 1] = faded(bs[t]) + e;
        pp = std::max(pp + w, p.k[at(t)]);
      }
      p.last[row(0)] = as[T] * std::exp(-pp), p.last[row(1)] = bs[T] * std::exp(-pp), p.last[row(2)] = pp;
      R da = p.dlast[row(0)] * std::exp(-pp), db = p.dlast[row(1)] * std::exp(-pp), dw = 0;
      for (dim_t t = T; t-- > 0;) {
        const R e = std::exp(p.k[at(t)]), q = p.dy[at(t)] / (bs[t] + u * e),
                bonus = u * e * q * (p.v[at(t)] - p.y[at(t)]);
        p.dv[at(t)] = u * e * q + e * da, p.dk[at(t)] = bonus + e * (p.v[at(t)] * da + db);
        p.dtime_first[c] += bonus, dw += as[t] * da + bs[t] * db;
        da = faded(da) + q, db = faded(db) - q * p.y[at(t)];
      }
      p.dtime_decay[c] += w * fade * dw;
      const R first = std::exp(p.state[row(2)]);
      p.dstate[row(0)] = first * da, p.dstate[row(1)] = first * db;
      p.dstate[row(2)] = p.state[row(0)] * p.dstate[row(0)] + p.state[row(1)] * p.dstate[row(1)];
    }
}

/// Keys of +-`key`; decays log-uniform from e^-60 (w = -60) to 1 - 1e-7 where `extreme`; odd sequences have no past.
template <class T, dim_t C>
Problem<T, C> random_problem(Seq seq, std::mt19937& random, double key = 4, bool extreme = false) {
  Problem<T, C> p{seq};
  std::normal_distribution<T> normal;
  std::uniform_real_distribution<T> uniform(-1, 1);
  for (auto* x : {&p.time_first, &p.v, &p.dy, &p.state, &p.dlast})
    for (T& value : *x) value = normal(random);
  for (T& value : p.k) value = T(key) * uniform(random);
  for (dim_t c = 0; c < C; ++c)
    p.time_decay[c] = extreme ? T(std::log(1e-7) + c * (std::log(60.) - std::log(1e-7)) / std::max<dim_t>(1, C - 1))
                              : 2 * normal(random) - 2;
  for (dim_t b = 0; b < seq.batch; ++b)
    for (dim_t c = 0; c < C; ++c) {
      T* s = &p.state[b * 3 * C + c];
      s[C] = std::exp(s[C]);
      if (b % 2) s[0] = s[C] = 0, s[2 * C] = T(-1e38);
    }
  return p;
}

/// Largest difference, as a share of the largest wanted number.
template <class T, class U>
double difference(const Numbers<T>& got, const Numbers<U>& want) {
  REQUIRE(got.size() == want.size());
  double worst = 0, largest = 1;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    if (std::abs(want[i]) > U(1e37)) continue;  // pp where nothing came before
    worst = std::max(worst, double(std::abs(U(got[i]) - want[i])));
    largest = std::max(largest, double(std::abs(want[i])));
  }
  return worst / largest;
}

template <class P, class Q>
void check_same(P&& got, Q&& want, double tolerance) {
  for (std::size_t i = 0; i < std::size(names); ++i) {
    INFO(std::string(names[i]));
    CHECK(difference(*got.results()[i], *want.results()[i]) <= tolerance);
  }
}

/// Where the walk itself is further than the tolerance from the recurrence, the scan may be `share` times as far. Most
/// cases need 2; decays near 1 in float more, as two exponentials a span round the same way span after span.
template <class T, dim_t C>
void check_scan(Seq seq, std::mt19937& random, double tolerance, double key = 4, bool extreme = false) {
  INFO(C << " channels, " << seq.batch << " sequences of " << seq.time << ", keys to " << key);
  constexpr double share = 10;
  auto p = random_problem<T, C>(seq, random, key, extreme), walk = p;
  auto want = p.template as<long double>();
  run(p, OverTime::scan, OverTime::scan), run(walk, OverTime::walk, OverTime::walk), recur(want);
  for (std::size_t i = 0; i < std::size(names); ++i) {
    INFO(std::string(names[i]));
    const double of_walk = difference(*walk.results()[i], *want.results()[i]);
    CAPTURE(of_walk);
    CHECK(difference(*p.results()[i], *want.results()[i]) <= std::max(tolerance, share * of_walk));
  }
}

TEST_CASE("wkv4's scan is the recurrence, gradients included") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto some = [&](dim_t most) { return 1 + dim_t(random() % most); };
  for (int i = 0; i < 3; ++i) {
    check_scan<double, 1>({some(3), some(9000)}, random, 1e-12);
    check_scan<double, 11>({some(3), some(6000)}, random, 1e-12);
    check_scan<double, 70>({some(2), some(600)}, random, 1e-12);
    check_scan<float, 11>({some(3), some(6000)}, random, 5e-6);
    check_scan<float, 70>({some(2), some(600)}, random, 5e-6);
  }
  for (dim_t time : {1, 2, 31, 32, 33, 127, 128, 129, 257, 1021, 4093, 4096, 4099}) {
    check_scan<double, 5>({2, time}, random, 1e-12);
    check_scan<float, 5>({2, time}, random, 5e-6);
  }
}

TEST_CASE("wkv4's scan is the recurrence at extreme decays and keys") {
  std::mt19937 random(31);
  for (double key : {1., 4., 30., 80.}) {
    check_scan<double, 13>({2, 3001}, random, 1e-13, key, true);
    check_scan<float, 13>({2, 3001}, random, key < 4 ? 1e-4 : 5e-6, key, true);
  }
  for (double key : {4., 80.}) {
    check_scan<double, 9>({1, 65536}, random, 1e-13, key, true);
    check_scan<float, 9>({1, 65536}, random, 5e-6, key, true);
  }
}

TEST_CASE("wkv4's scan in float keeps 1e-6 at decays near 1" * doctest::should_fail()) {
  std::mt19937 random(31);  // the wish; what is missing is a past that goes from span to span without rounding
  auto p = random_problem<float, 13>({2, 3001}, random, 1, true);
  auto want = p.as<long double>();
  run(p, OverTime::scan, OverTime::scan), recur(want);
  check_same(p, want, 1e-6);
}

TEST_CASE("wkv4's scan and walk agree, and either goes back after either") {
  std::mt19937 random(37);
  for (double key : {4., 80.}) {
    auto walk = random_problem<double, 19>({3, 700}, random, key), scan = walk, mixed = walk, other = walk;
    run(walk, OverTime::walk, OverTime::walk);
    run(scan, OverTime::scan, OverTime::scan);
    run(mixed, OverTime::scan, OverTime::walk);
    run(other, OverTime::walk, OverTime::scan);
    check_same(scan, walk, 1e-12), check_same(mixed, walk, 1e-12), check_same(other, walk, 1e-12);
  }
}

TEST_CASE("wkv4's scan of no tokens leaves everything alone") {
  std::mt19937 random(39);
  auto p = random_problem<float, 9>({3, 0}, random);
  run(p, OverTime::scan, OverTime::scan);
  CHECK(p.last == p.state);
  CHECK(p.dstate == p.dlast);
}

TEST_CASE("wkv4's scan of anything is finite") {
  std::mt19937 random(41);
  for (double key : {80., 500., 1e6, 1e30}) {
    CAPTURE(key);
    auto p = random_problem<float, 9>({2, 700}, random, key, true);
    run(p, OverTime::scan, OverTime::scan);
    for (auto* x : p.results()) CHECK(std::all_of(x->begin(), x->end(), [](float a) { return std::isfinite(a); }));
  }
}

TEST_CASE("wkv4's scan works in place, and without starts") {
  std::mt19937 random(43);
  using B = Cpu<float>;
  constexpr dim_t C = 19;
  auto p = random_problem<float, C>({2, 5000}, random);
  run(p, OverTime::scan, OverTime::scan);
  const Seq s = p.seq;
  auto k = p.k, v = p.v, last = p.state, dstate = p.dlast, y = p.k;
  Numbers<float> dw(C), du(C), sums(2 * 2 * C);
  Scratch<B> scratch;
  const Tensor<B, C> w{p.time_decay.data(), s}, u{p.time_first.data(), s};
  using Signal = Tensor<B, Batch, Time, C>;
  wkv4_forward<B, C>(scratch, w, u, Signal{y.data(), s}, {v.data(), s}, {y.data(), s}, {last.data(), s}, {nullptr, s},
                     OverTime::scan);
  CHECK(y == p.y);
  CHECK(last == p.last);
  wkv4_backward<B, C>(scratch, w, u, Signal{k.data(), s}, {v.data(), s}, {p.starts.data(), s}, {p.dy.data(), s},
                      {k.data(), s}, {v.data(), s}, {dw.data(), s}, {du.data(), s}, {dstate.data(), s},
                      {sums.data(), s}, OverTime::scan);
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
    run(few, OverTime::automatic, OverTime::automatic), run(many, OverTime::automatic, OverTime::automatic);
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
