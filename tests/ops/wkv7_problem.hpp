#pragma once
#include <array>
#include <random>
#include <string>

#include <rwkv/ops/wkv7.hpp>
#include <rwkv/ops/wkv7/reference.hpp>
#include "head_numbers.hpp"

// A problem for WKV-7, what it should give, and how far off it is.
namespace wkv7_test {

using namespace head_test;
using wkv7::OverTime;

/// Everything that goes into WKV-7 and comes out of it. `last` and `dlast` belong to the state after the last token.
template <class T, dim_t H, dim_t N>
struct Problem {
  using Sums = Numbers<compute_of<T>>;
  Seq seq;
  std::array<Numbers<T>, 6> in, d;  // r, w, k, v, a, b
  Numbers<T> y = Numbers<T>(std::size_t(seq.tokens() * H * N), T(0)), dy = y;
  Sums state = Sums(std::size_t(seq.batch * H * N * N)), last = state, dlast = state, dstate = state;
  Sums starts = Sums(std::size_t(seq.spans()) * state.size()), recalled = Sums(y.size());

  explicit Problem(Seq s) : seq(s) { in.fill(y), d.fill(y); }

  template <class U>
  Problem<U, H, N> as() const {
    Problem<U, H, N> p{seq};
    const auto copy = [](auto& to, const auto& from) {
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = std::decay_t<decltype(to[i])>(from[i]);
    };
    for (std::size_t i = 0; i < in.size(); ++i) copy(p.in[i], in[i]);
    copy(p.dy, dy), copy(p.state, state), copy(p.dlast, dlast);
    return p;
  }
};
inline constexpr const char* names[] = {"y", "dr", "dw", "dk", "dv", "da", "db", "last", "dstate"};

/// f(name, x, numbers a head) for everything that comes out.
template <class P, class F>
void each_result(P&& p, const F& f) {
  f(names[0], p.y);
  for (std::size_t i = 0; i < 6; ++i) f(names[1 + i], p.d[i]);
  f(names[7], p.last), f(names[8], p.dstate);
}

template <class B, class T, dim_t H, dim_t N>
wkv7::Signals<B, H, N> signals(std::array<Numbers<T>, 6>& x, Seq s) {
  return {{x[0].data(), s}, {x[1].data(), s}, {x[2].data(), s}, {x[3].data(), s}, {x[4].data(), s}, {x[5].data(), s}};
}

/// Forward one way and backward another, on a machine in this memory.
template <class B, class T, dim_t H, dim_t N>
void run_on(Problem<T, H, N>& p, OverTime forward, OverTime backward) {
  Scratch<B> scratch;
  const Seq s = p.seq;
  const auto in = signals<B, T, H, N>(p.in, s), d = signals<B, T, H, N>(p.d, s);
  const wkv7::Kept<B, H, N> kept{{p.starts.data(), s}, {p.recalled.data(), s}};
  p.last = p.state, p.dstate = p.dlast;
  wkv7_forward(scratch, in, {p.y.data(), s}, {p.last.data(), s}, kept, forward);
  wkv7_backward(scratch, in, kept, {p.dy.data(), s}, d, {p.dstate.data(), s}, backward);
}
template <class T, dim_t H, dim_t N>
void run(Problem<T, H, N>& p, OverTime how = OverTime::automatic) {
  run_on<Cpu<T>>(p, how, how);
}

/// What the reference gives.
template <class R, class T, dim_t H, dim_t N>
Problem<R, H, N> expected(const Problem<T, H, N>& p, bool back = true) {
  auto want = p.template as<R>();
  want.last = want.state, want.dstate = want.dlast;
  auto& [r, w, k, v, a, b] = want.in;
  wkv7::Reference<R> reference{want.seq, H,        N,        r.data(),      w.data(),        k.data(),
                               v.data(), a.data(), b.data(), want.y.data(), want.last.data()};
  auto& [dr, dw, dk, dv, da, db] = want.d;
  if (back) reference.dy = want.dy.data();
  reference.dr = dr.data(), reference.dw = dw.data(), reference.dk = dk.data(), reference.dv = dv.data();
  reference.da = da.data(), reference.db = db.data(), reference.dstate = want.dstate.data();
  reference.run();
  return want;
}

/// The logarithm of RWKV-7's decay.
inline double log_decay(double x) {
  return -std::exp(-0.5) / (1 + std::exp(-x));
}

/// Signals as a model makes them: a is minus the normalised key, b what part of it is replaced. Decays are those of
/// normal numbers times `spread`, moved by `shift`.
template <class T, dim_t H, dim_t N>
Problem<T, H, N> random_problem(Seq seq, std::mt19937& random, double spread = 3, double shift = 0) {
  Problem<T, H, N> p{seq};
  std::normal_distribution<double> normal;
  for (auto* x : {&p.in[0], &p.in[2], &p.in[3], &p.dy})
    for (T& value : *x) value = T(normal(random));
  for (T& value : p.in[1]) value = T(log_decay(spread * normal(random) + shift));
  for (std::size_t i = 0; i < p.y.size(); i += N) {
    double kk[N], norm = 0;
    for (double& x : kk) x = normal(random), norm += x * x;
    for (dim_t c = 0; c < N; ++c) {
      p.in[4][i + c] = T(-kk[c] / std::sqrt(norm));
      p.in[5][i + c] = T(kk[c] / std::sqrt(norm) / (1 + std::exp(-normal(random))));
    }
  }
  for (auto* x : {&p.state, &p.dlast})
    for (auto& value : *x) value = compute_of<T>(normal(random));
  return p;
}

/// The worst difference over everything that comes out.
template <class T, class U, dim_t H, dim_t N>
double check_same(const Problem<T, H, N>& got, const Problem<U, H, N>& want, double tolerance) {
  std::vector<double> all;
  each_result(want, [&](const char* name, auto& x) {
    const auto compare = [&](const char* other, auto& mine) {
      if (std::string(name) == other)
        all.push_back(difference<H, N>(mine, x, got.seq, std::string(name) == "last" || std::string(name) == "dstate"));
    };
    each_result(got, compare);
    INFO(std::string(name));
    CHECK(all.back() <= tolerance);
  });
  return *std::max_element(all.begin(), all.end());
}

}  // namespace wkv7_test
