#pragma once
#include <array>
#include <random>
#include <string>

#include <rwkv/ops/wkv6.hpp>
#include <rwkv/ops/wkv6/reference.hpp>
#include "head_numbers.hpp"

// A problem for WKV-5 and 6, what it should give, and how far off it is.
namespace wkv6_test {

using namespace head_test;
using wkv6::OverTime;

/// Everything that goes into WKV-6 and comes out of it. `last` and `dlast` belong to the state after the last token.
template <class T, dim_t H, dim_t N>
struct Problem {
  using Sums = Numbers<compute_of<T>>;
  Seq seq;
  std::array<Numbers<T>, 4> in, d;  // r, w, k, v
  Numbers<T> y = Numbers<T>(std::size_t(seq.tokens() * H * N), T(0)), dy = y, u = Numbers<T>(H * N, T(0));
  Sums du = Sums(H * N), state = Sums(std::size_t(seq.batch * H * N * N)), last = state, dlast = state, dstate = state;
  Sums starts = Sums(std::size_t(seq.spans()) * state.size());

  explicit Problem(Seq s) : seq(s) { in.fill(y), d.fill(y); }

  template <class U>
  Problem<U, H, N> as() const {
    Problem<U, H, N> p{seq};
    const auto copy = [](auto& to, const auto& from) {
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = std::decay_t<decltype(to[i])>(from[i]);
    };
    for (std::size_t i = 0; i < in.size(); ++i) copy(p.in[i], in[i]);
    copy(p.dy, dy), copy(p.u, u), copy(p.state, state), copy(p.dlast, dlast);
    return p;
  }
};
inline constexpr const char* names[] = {"y", "dr", "dw", "dk", "dv", "du", "last", "dstate"};

/// f(name, x) for everything that comes out.
template <class P, class F>
void each_result(P&& p, const F& f) {
  f(names[0], p.y);
  for (std::size_t i = 0; i < 4; ++i) f(names[1 + i], p.d[i]);
  f(names[5], p.du), f(names[6], p.last), f(names[7], p.dstate);
}

template <class B, class T, dim_t H, dim_t N>
auto inputs(Problem<T, H, N>& p) {
  using Signal = Tensor<B, Batch, Time, H * N>;
  const auto of = [&](auto& x) { return Signal{x.data(), p.seq}; };
  return wkv6::Signals<B, H, N, Signal, Tensor<B, H * N>>{
      of(p.in[0]), of(p.in[2]), of(p.in[3]), of(p.in[1]), {p.u.data(), p.seq}};
}
template <class B, class T, dim_t H, dim_t N>
auto gradients(Problem<T, H, N>& p) {
  using Signal = Tensor<B, Batch, Time, H * N>;
  const auto of = [&](auto& x) { return Signal{x.data(), p.seq}; };
  return wkv6::Signals<B, H, N, Signal, Tensor<Accum<B>, H * N>>{
      of(p.d[0]), of(p.d[2]), of(p.d[3]), of(p.d[1]), {p.du.data(), p.seq}};
}

/// Forward one way and backward another, on a machine in this memory.
template <class B, class T, dim_t H, dim_t N>
void run_on(Problem<T, H, N>& p, OverTime forward, OverTime backward) {
  Scratch<B> scratch;
  const Seq s = p.seq;
  p.last = p.state, p.dstate = p.dlast;
  std::fill(p.du.begin(), p.du.end(), 0);  // it is added to
  wkv6_forward(scratch, inputs<B>(p), {p.y.data(), s}, {p.last.data(), s}, {p.starts.data(), s}, forward);
  wkv6_backward(scratch, inputs<B>(p), {p.starts.data(), s}, {p.dy.data(), s}, gradients<B>(p), {p.dstate.data(), s},
                backward);
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
  auto& [r, w, k, v] = want.in;
  auto& [dr, dw, dk, dv] = want.d;
  wkv6::Reference<R>{want.seq,
                     H,
                     N,
                     r.data(),
                     w.data(),
                     k.data(),
                     v.data(),
                     want.u.data(),
                     want.y.data(),
                     want.last.data(),
                     back ? want.dy.data() : nullptr,
                     dr.data(),
                     dw.data(),
                     dk.data(),
                     dv.data(),
                     want.du.data(),
                     want.dstate.data()}
      .run();
  return want;
}

/// Decays e^-e^x with x drawn from `from` to `to`: e^4.1 is 60.
template <class T, dim_t H, dim_t N>
Problem<T, H, N> random_problem(Seq seq, std::mt19937& random, double from = -6, double to = 2) {
  Problem<T, H, N> p{seq};
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(from, to);
  for (auto* x : {&p.in[0], &p.in[2], &p.in[3], &p.dy, &p.u})
    for (T& value : *x) value = T(normal(random));
  for (T& value : p.in[1]) value = T(-std::exp(uniform(random)));
  for (auto* x : {&p.state, &p.dlast})
    for (auto& value : *x) value = compute_of<T>(normal(random));
  return p;
}

/// The worst difference over everything that comes out.
template <class T, class U, dim_t H, dim_t N>
double check_same(const Problem<T, H, N>& got, const Problem<U, H, N>& want, double tolerance) {
  double worst = 0;
  each_result(want, [&](const std::string& name, auto& x) {
    each_result(got, [&](const std::string& other, auto& mine) {
      if (name != other) return;
      const bool of_states = name == "last" || name == "dstate";
      const double off = difference<H, N>(mine, x, name == "du" ? Seq{1, 1} : got.seq, of_states);
      INFO(name);
      CHECK(off <= tolerance);
      worst = std::max(worst, off);
    });
  });
  return worst;
}

}  // namespace wkv6_test
