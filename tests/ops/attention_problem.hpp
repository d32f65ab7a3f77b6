#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/attention.hpp>

// Softmax attention by its definition, and random calls of it, for the tests of every machine's kernels.
namespace attention {
using namespace rwkv;

template <class T>
using Numbers = std::vector<T>;

/// A call, its past and everything that comes out of it. W is the window. What adds up is in full length, as is the
/// ring, which holds what a T can.
template <class T, dim_t H, dim_t D, dim_t W>
struct Problem {
  static constexpr dim_t C = H * D;
  using Accum = compute_of<T>;
  Seq seq;
  Numbers<T> q = Numbers<T>(seq.tokens() * C), k = q, v = q, dy = q, y = q, dq = q, dk = q, dv = q;
  Numbers<Accum> log_sum = Numbers<Accum>(seq.tokens() * H), softmax = Numbers<Accum>(seq.tokens() * H * 2);
  Numbers<Accum> state_k = Numbers<Accum>(seq.batch * W * C), state_v = state_k, dstate_k = state_k, dstate_v = state_k;
  Numbers<Accum> position = Numbers<Accum>(seq.batch);

  std::vector<Numbers<Accum>> results() const {
    const auto full = [](const auto& x) { return Numbers<Accum>(x.begin(), x.end()); };
    return {full(y), log_sum, full(dq), full(dk), full(dv), dstate_k, dstate_v};
  }
  template <class U>
  Problem<U, H, D, W> as() const {
    Problem<U, H, D, W> p{seq};
    const auto copy = [](auto& to, const auto& from) { to.assign(from.begin(), from.end()); };
    copy(p.q, q), copy(p.k, k), copy(p.v, v), copy(p.dy, dy), copy(p.position, position);
    copy(p.state_k, state_k), copy(p.state_v, state_v), copy(p.dstate_k, dstate_k), copy(p.dstate_v, dstate_v);
    return p;
  }
};
inline constexpr const char* names[] = {"y", "log_sum", "dq", "dk", "dv", "dstate_k", "dstate_v"};

/// The logarithms of the denominators, from what backward reads.
template <class P>
void sum_up(P& p) {
  for (std::size_t n = 0; n < p.log_sum.size(); ++n)
    p.log_sum[n] = p.softmax[2 * n] * std::log(decltype(p.log_sum[n] + 0)(2)) + std::log(p.softmax[2 * n + 1]);
}

/// By the kernels of a machine that shares the processor's memory.
template <template <class> class Machine = Cpu, class T, dim_t H, dim_t D, dim_t W, class Drops = KeepAll>
void run(Problem<T, H, D, W>& p, Drops drops = {}) {
  using B = Machine<T>;
  using Rows = Tensor<B, Batch, Time, H * D>;
  using Ring = Tensor<Accum<B>, Batch, W, H * D>;
  const Seq s = p.seq;
  Scratch<B> scratch;
  const Rows q{p.q.data(), s}, k{p.k.data(), s}, v{p.v.data(), s}, y{p.y.data(), s}, dy{p.dy.data(), s};
  const Ring state_k{p.state_k.data(), s}, state_v{p.state_v.data(), s};
  const Tensor<Accum<B>, Batch, 1> position{p.position.data(), s};
  const Tensor<Accum<B>, Batch, Time, H, 2> softmax{p.softmax.data(), s};
  attention_forward<B, H, D>(scratch, q, k, v, state_k, state_v, position, y, softmax, drops);
  attention_backward<B, H, D>(scratch, q, k, v, state_k, state_v, position, y, softmax, dy, Rows{p.dq.data(), s},
                              Rows{p.dk.data(), s}, Rows{p.dv.data(), s}, Ring{p.dstate_k.data(), s},
                              Ring{p.dstate_v.data(), s}, drops);
  sum_up(p);
}

/// The same by the definition, every score at hand.
template <class R, dim_t H, dim_t D, dim_t W, class Drops = KeepAll>
void define(Problem<R, H, D, W>& p, Drops drops = {}) {
  constexpr dim_t C = H * D;
  const dim_t T = p.seq.time;
  const R scale = 1 / std::sqrt(R(D));
  for (dim_t b = 0; b < p.seq.batch; ++b)
    for (dim_t h = 0; h < H; ++h) {
      const dim_t before = dim_t(std::llround(double(p.position[b])));
      const auto key = [&](auto& now, auto& past, dim_t s) {
        return s < before ? &past[(b * W + s % W) * C + h * D] : &now[(b * T + s - before) * C + h * D];
      };
      const auto dot = [](const R* x, const R* z) {
        R sum = 0;
        for (dim_t c = 0; c < D; ++c) sum += x[c] * z[c];
        return sum;
      };
      for (dim_t t = 0; t < T; ++t) {
        const dim_t i = (b * T + t) * C + h * D, last = before + t, first = std::max<dim_t>(0, last - W + 1);
        Numbers<R> score(last - first + 1);
        R top = -std::numeric_limits<R>::infinity(), total = 0, along = 0;
        for (dim_t s = first; s <= last; ++s)
          top = std::max(top, score[s - first] = scale * dot(&p.q[i], key(p.k, p.state_k, s)));
        for (R s : score) total += std::exp(s - top);
        p.log_sum[(b * T + t) * H + h] = top + std::log(total);
        std::fill_n(&p.y[i], D, R(0));
        const auto word = drops.template word<R>((b * T + t) * H + h);
        const auto kept = [&](dim_t s) { return drops.template factor<R>(word, detail::columns<R>(s - before)); };
        for (dim_t s = first; s <= last; ++s)
          for (dim_t c = 0; c < D; ++c)
            p.y[i + c] += kept(s) * std::exp(score[s - first] - top) / total * key(p.v, p.state_v, s)[c];
        along = dot(&p.dy[i], &p.y[i]);
        for (dim_t s = first; s <= last; ++s) {
          const R weight = std::exp(score[s - first] - top) / total;
          const R ds = weight * (kept(s) * dot(&p.dy[i], key(p.v, p.state_v, s)) - along) * scale;
          for (dim_t c = 0; c < D; ++c) {
            p.dq[i + c] += ds * key(p.k, p.state_k, s)[c];
            key(p.dk, p.dstate_k, s)[c] += ds * p.q[i + c];
            key(p.dv, p.dstate_v, s)[c] += kept(s) * weight * p.dy[i + c];
          }
        }
      }
    }
}

/// Every sequence has another past; rows of the ring that were never written hold NaN.
template <class T, dim_t H, dim_t D, dim_t W>
Problem<T, H, D, W> random_problem(Seq seq, std::mt19937& random, dim_t most_before = 3 * W, compute_of<T> spread = 1) {
  using Accum = compute_of<T>;
  Problem<T, H, D, W> p{seq};
  std::normal_distribution<Accum> normal;
  const auto draw = [&](auto& x, Accum size) {
    for (auto& value : x) value = T(size * normal(random));
  };
  draw(p.q, spread), draw(p.k, spread), draw(p.v, 1), draw(p.dy, 1);
  draw(p.state_k, spread), draw(p.state_v, 1), draw(p.dstate_k, 1), draw(p.dstate_v, 1);
  for (dim_t b = 0; b < seq.batch; ++b) {
    const dim_t before = b == 0 ? 0 : dim_t(random() % (most_before + 1));
    p.position[b] = Accum(before);
    for (dim_t r = before; r < W; ++r)
      for (auto* x : {&p.state_k, &p.state_v})
        std::fill_n(x->begin() + (b * W + r) * H * D, H * D, std::numeric_limits<Accum>::quiet_NaN());
  }
  return p;
}

/// Largest difference, as a share of 1 or of the largest wanted number.
template <class T, class U>
double difference(const Numbers<T>& got, const Numbers<U>& want) {
  REQUIRE(got.size() == want.size());
  double worst = 0, largest = 1;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double apart = std::abs(double(got[i]) - double(want[i]));
    if (!(apart <= std::numeric_limits<double>::max())) return INFINITY;
    worst = std::max(worst, apart), largest = std::max(largest, std::abs(double(want[i])));
  }
  return worst / largest;
}

template <class P, class Q>
void check_same(P&& got, Q&& want, double tolerance) {
  for (std::size_t i = 0; i < std::size(names); ++i) {
    INFO(std::string(names[i]));
    CHECK(difference(got.results()[i], want.results()[i]) <= tolerance);
  }
}

}  // namespace attention
