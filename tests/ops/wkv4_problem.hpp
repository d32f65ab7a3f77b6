#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/wkv4.hpp>
#include <rwkv/ops/wkv4/reference.hpp>

// A problem for WKV-4, what it should give, and how far off it is.
namespace wkv4_test {

using namespace rwkv;

template <class T>
using Numbers = std::vector<T>;

/// Everything that goes into WKV-4 and comes out of it. `last` and `dlast` belong to the state after the last token.
template <class T, dim_t C>
struct Problem {
  Seq seq;
  Numbers<T> time_decay = Numbers<T>(C, T(0)), time_first = time_decay, dtime_decay = time_decay,
             dtime_first = time_decay;
  Numbers<T> k = Numbers<T>(seq.tokens() * C, T(0)), v = k, y = k, dy = k, dk = k, dv = k;
  Numbers<T> state = Numbers<T>(seq.batch * 3 * C, T(0)), last = state, dstate = state, dlast = state;
  Numbers<T> starts = Numbers<T>(seq.batch * seq.spans() * 3 * C, T(0));

  template <class U>
  Problem<U, C> as() const {
    Problem<U, C> p{seq};
    const auto copy = [](auto& to, const auto& from) { to.assign(from.begin(), from.end()); };
    copy(p.time_decay, time_decay), copy(p.time_first, time_first), copy(p.k, k), copy(p.v, v), copy(p.dy, dy);
    copy(p.state, state), copy(p.last, last), copy(p.dlast, dlast);
    return p;
  }
  std::vector<Numbers<T>*> results() { return {&y, &last, &dk, &dv, &dtime_decay, &dtime_first, &dstate}; }
};
inline constexpr const char* names[] = {"y", "last", "dk", "dv", "dtime_decay", "dtime_first", "dstate"};

/// Forward one way and backward another, on any machine in this memory. The gradients of the layer are added to.
template <class B, class T, dim_t C>
void run_on(Problem<T, C>& p, OverTime forward, OverTime backward) {
  const Seq s = p.seq;
  Scratch<B> scratch;
  const auto of = [&](Numbers<T>& x) { return Tensor<B, Batch, Time, C>{x.data(), s}; };
  const Tensor<B, C> w{p.time_decay.data(), s}, u{p.time_first.data(), s};
  const Tensor<B, Batch, Spans, 3, C> starts{p.starts.data(), s};
  p.last = p.state, p.dstate = p.dlast;
  wkv4_forward<B, C>(scratch, w, u, of(p.k), of(p.v), of(p.y), {p.last.data(), s}, starts, forward);
  wkv4_backward<B, C>(scratch, w, u, of(p.k), of(p.v), starts, of(p.dy), of(p.dk), of(p.dv), {p.dtime_decay.data(), s},
                      {p.dtime_first.data(), s}, {p.dstate.data(), s}, backward);
}
template <class T, dim_t C>
void run(Problem<T, C>& p, OverTime forward, OverTime backward) {
  run_on<Cpu<T>>(p, forward, backward);
}
template <class T, dim_t C>
void run(Problem<T, C>& p, OverTime how = OverTime::sequential) {
  run(p, how, how);
}

/// Decays as models have them, or log-uniform from 1 - `slowest` to e^-60 (w = -60); keys of +-`key`. Odd sequences
/// have no past.
template <class T, dim_t C>
Problem<T, C> random_problem(Seq seq, std::mt19937& random, double key = 4, double slowest = 0) {
  Problem<T, C> p{seq};
  std::normal_distribution<T> normal;
  std::uniform_real_distribution<T> uniform(-1, 1);
  for (auto* x : {&p.time_first, &p.v, &p.dy, &p.state, &p.dlast})
    for (T& value : *x) value = normal(random);
  for (T& value : p.k) value = T(key) * uniform(random);
  for (dim_t c = 0; c < C; ++c)
    p.time_decay[c] = slowest > 0 ? T(std::log(slowest) + c * std::log(60. / slowest) / std::max<dim_t>(1, C - 1))
                                  : 2 * normal(random) - 2;
  for (dim_t b = 0; b < seq.batch; ++b)
    for (dim_t c = 0; c < C; ++c) {
      T* s = &p.state[b * 3 * C + c];
      s[C] = std::exp(s[C]);
      if (b % 2) s[0] = s[C] = 0, s[2 * C] = T(-1e38);
    }
  return p;
}

/// A number that knows the sum it is with all its terms taken positive.
struct Sized {
  long double value = 0, size = 0;
  Sized() = default;
  Sized(long double x) : value(x), size(std::abs(x)) {}
  Sized(long double x, long double all) : value(x), size(all) {}
  friend Sized operator-(Sized x) { return {-x.value, x.size}; }
  friend Sized operator+(Sized x, Sized y) { return {x.value + y.value, x.size + y.size}; }
  friend Sized operator-(Sized x, Sized y) { return {x.value - y.value, x.size + y.size}; }
  friend Sized operator*(Sized x, Sized y) { return {x.value * y.value, x.size * y.size}; }
  friend Sized operator/(Sized x, Sized y) { return {x.value / y.value, x.size / std::abs(y.value)}; }
  friend bool operator<(Sized x, Sized y) { return x.value < y.value; }
  friend Sized exp(Sized x) { return std::exp(x.value); }
};

/// What the reference gives, the last state on the scale e^pp that p.last names.
template <class T, dim_t C>
Problem<Sized, C> expected(const Problem<T, C>& p) {
  auto want = p.template as<Sized>();
  wkv4::Reference<Sized> reference{
      p.seq,           C, want.time_decay.data(), want.time_first.data(), want.k.data(), want.v.data(), want.y.data(),
      want.last.data()};
  const auto scale = [&](const Numbers<Sized>& pp, Numbers<Sized>& x) {
    for (dim_t b = 0; b < p.seq.batch; ++b)
      for (dim_t c = 0; c < C; ++c) {
        const dim_t aa = b * 3 * C + c, bb = aa + C, row = bb + C;
        const Sized factor = std::exp(pp[row].value - p.last[row]);
        x[aa] = x[aa] * factor, x[bb] = x[bb] * factor;
      }
  };
  want.last = want.state;
  reference.run();
  want.dstate = want.dlast;
  scale(want.last, want.dstate);
  const auto last = want.last;
  reference.dy = want.dy.data(), reference.dk = want.dk.data(), reference.dv = want.dv.data();
  reference.dtime_decay = want.dtime_decay.data(), reference.dtime_first = want.dtime_first.data();
  reference.dstate = want.dstate.data(), want.last = want.state;
  reference.run();
  scale(last, want.last);
  for (dim_t b = 0; b < p.seq.batch; ++b)
    for (dim_t row = (b * 3 + 2) * C; row < (b + 1) * 3 * C; ++row) want.last[row] = p.last[row];
  return want;
}

/// The largest error, relative to the sum it is an error of with all its terms taken positive; 1e-20 counts as nothing.
template <class T>
double relative_error(const Numbers<T>& got, const Numbers<Sized>& want) {
  REQUIRE(got.size() == want.size());
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    worst = std::max(worst, double(std::abs(got[i] - want[i].value) / (want[i].size + 1e-20L)));
  }
  return worst;
}

/// The same over everything that machine B gives.
template <class B, class T, dim_t C>
double worst_error(Problem<T, C>& p, OverTime how) {
  std::fill(p.dtime_decay.begin(), p.dtime_decay.end(), T(0));
  std::fill(p.dtime_first.begin(), p.dtime_first.end(), T(0));
  run_on<B>(p, how, how);
  auto want = expected(p);
  double worst = 0;
  for (std::size_t i = 0; i < std::size(names); ++i) {
    const double error = relative_error(*p.results()[i], *want.results()[i]);
    if (error > worst) INFO(std::string(names[i]) << " is off by " << error);
    worst = std::max(worst, error);
  }
  return worst;
}

/// Largest difference, as a share of 1 or of the largest wanted number.
template <class T, class U>
double difference(const Numbers<T>& got, const Numbers<U>& want) {
  REQUIRE(got.size() == want.size());
  double worst = 0, largest = 1;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    if (std::abs(want[i]) > U(1e37)) continue;  // pp where nothing came before
    worst = std::max(worst, std::abs(double(got[i]) - double(want[i])));
    largest = std::max(largest, std::abs(double(want[i])));
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

}  // namespace wkv4_test
