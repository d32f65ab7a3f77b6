#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/wkv4.hpp>

// A problem for WKV-4, what it should give, and how far off it is.
namespace wkv4 {

using namespace rwkv;

template <class T>
using Numbers = std::vector<T>;

/// Everything that goes into WKV-4 and comes out of it. `last` and `dlast` belong to the state after the last token.
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
    copy(p.state, state), copy(p.last, last), copy(p.dlast, dlast);
    return p;
  }
  std::vector<Numbers<T>*> results() { return {&y, &last, &dk, &dv, &dtime_decay, &dtime_first, &dstate}; }
};
inline constexpr const char* names[] = {"y", "last", "dk", "dv", "dtime_decay", "dtime_first", "dstate"};

/// The gradients of the layer are added to.
template <class T, dim_t C>
void run(Problem<T, C>& p, OverTime forth, OverTime back) {
  using B = Cpu<T>;
  const Seq s = p.seq;
  Scratch<B> scratch;
  const auto of = [&](Numbers<T>& x) { return Tensor<B, Batch, Time, C>{x.data(), s}; };
  const Tensor<B, C> w{p.time_decay.data(), s}, u{p.time_first.data(), s};
  const Tensor<B, Batch, Spans, 3, C> starts{p.starts.data(), s};
  p.last = p.state, p.dstate = p.dlast;
  wkv4_forward<B, C>(scratch, w, u, of(p.k), of(p.v), of(p.y), {p.last.data(), s}, starts, forth);
  wkv4_backward<B, C>(scratch, w, u, of(p.k), of(p.v), starts, of(p.dy), of(p.dk), of(p.dv), {p.dtime_decay.data(), s},
                      {p.dtime_first.data(), s}, {p.dstate.data(), s}, back);
}
template <class T, dim_t C>
void run(Problem<T, C>& p, OverTime how = OverTime::sequential) {
  run(p, how, how);
}

/// Decays as models have them, or log-uniform from 1 - 1e-7 to e^-60 (w = -60) where `extreme`; keys of +-`key`. Odd
/// sequences have no past.
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

/// The recurrence and its adjoint, token after token, as the formulas stand, in numbers that hold any exponent; `size`
/// gets every sum once more with all its terms taken positive. The last state is on the scale e^pp that p.last names.
template <dim_t C>
void recur(Problem<long double, C>& p, Problem<long double, C>& size) {
  using R = long double;
  const dim_t T = p.seq.time;
  Numbers<R> as(T + 1), bs(T + 1), sizes(T + 1);
  for (dim_t b = 0; b < p.seq.batch; ++b)
    for (dim_t c = 0; c < C; ++c) {
      const auto at = [&](dim_t t) { return (b * T + t) * C + c; };
      const dim_t aa = b * 3 * C + c, bb = aa + C, pp = bb + C;
      const R w = -std::exp(p.time_decay[c]), u = std::exp(p.time_first[c]), fade = std::exp(w), rest = std::expm1(w);
      const auto faded = [&](R a) { return w > -0.5L ? a + rest * a : fade * a; };
      const R first = std::exp(p.state[pp]), last = T > 0 ? std::exp(-p.last[pp]) : 1 / first;
      as[0] = p.state[aa] * first, bs[0] = p.state[bb] * first, sizes[0] = std::abs(as[0]);
      for (dim_t t = 0; t < T; ++t) {
        const R e = std::exp(p.k[at(t)]), v = p.v[at(t)], all = bs[t] + u * e;
        p.y[at(t)] = (as[t] + u * e * v) / all, size.y[at(t)] = (sizes[t] + u * e * std::abs(v)) / all;
        as[t + 1] = faded(as[t]) + e * v, bs[t + 1] = faded(bs[t]) + e,
               sizes[t + 1] = faded(sizes[t]) + e * std::abs(v);
      }
      p.last[aa] = as[T] * last, p.last[bb] = bs[T] * last, size.last[aa] = sizes[T] * last;
      size.last[bb] = p.last[bb], size.last[pp] = std::abs(p.last[pp]);
      R da = p.dlast[aa] * last, db = p.dlast[bb] * last, size_a = std::abs(da), size_b = std::abs(db);
      R dw = 0, size_w = 0;
      for (dim_t t = T; t-- > 0;) {
        const R e = std::exp(p.k[at(t)]), v = p.v[at(t)], y = p.y[at(t)], q = p.dy[at(t)] / (bs[t] + u * e);
        const R self = u * e * q, bonus = self * (v - y), size_q = std::abs(q), size_y = size.y[at(t)];
        const R size_bonus = std::abs(self) * (std::abs(v) + size_y);
        p.dv[at(t)] = self + e * da, size.dv[at(t)] = std::abs(self) + e * size_a;
        p.dk[at(t)] = bonus + e * (v * da + db), size.dk[at(t)] = size_bonus + e * (std::abs(v) * size_a + size_b);
        p.dtime_first[c] += bonus, size.dtime_first[c] += size_bonus;
        dw += as[t] * da + bs[t] * db, size_w += sizes[t] * size_a + bs[t] * size_b;
        da = faded(da) + q, db = faded(db) - q * y;
        size_a = faded(size_a) + size_q, size_b = faded(size_b) + size_q * size_y;
      }
      p.dtime_decay[c] += w * fade * dw, size.dtime_decay[c] -= w * fade * size_w;
      p.dstate[aa] = first * da, size.dstate[aa] = first * size_a;
      p.dstate[bb] = first * db, size.dstate[bb] = first * size_b;
      p.dstate[pp] = p.state[aa] * p.dstate[aa] + p.state[bb] * p.dstate[bb];
      size.dstate[pp] = std::abs(p.state[aa]) * size.dstate[aa] + p.state[bb] * size.dstate[bb];
    }
}

/// An error counts relative to the sum it is an error of with all its terms taken positive, and 1e-20 counts as
/// nothing.
template <class T>
double relative_error(const Numbers<T>& got, const Numbers<long double>& want, const Numbers<long double>& size) {
  REQUIRE(got.size() == want.size());
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    worst = std::max(worst, double(std::abs(got[i] - want[i]) / (size[i] + 1e-20L)));
  }
  return worst;
}

/// Runs a problem from every gradient's zero and compares all it gives with the recurrence.
template <class T, dim_t C>
void check_exact(Problem<T, C>& p, OverTime how, double tolerance) {
  std::fill(p.dtime_decay.begin(), p.dtime_decay.end(), T(0));
  std::fill(p.dtime_first.begin(), p.dtime_first.end(), T(0));
  run(p, how);
  auto want = p.template as<long double>(), size = want;
  recur(want, size);
  for (std::size_t i = 0; i < std::size(names); ++i) {
    INFO(std::string(names[i]));
    CHECK(relative_error(*p.results()[i], *want.results()[i], *size.results()[i]) <= tolerance);
  }
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

}  // namespace wkv4
