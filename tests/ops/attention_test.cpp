#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/attention.hpp>

using namespace rwkv;

namespace {

template <class T>
using Numbers = std::vector<T>;

/// A call, its past and everything that comes out of it. W is the window.
template <class T, dim_t H, dim_t D, dim_t W>
struct Problem {
  static constexpr dim_t C = H * D;
  Seq seq;
  Numbers<T> q = Numbers<T>(seq.tokens() * C), k = q, v = q, dy = q, y = q, dq = q, dk = q, dv = q;
  Numbers<T> log_sum = Numbers<T>(seq.tokens() * H);
  Numbers<T> past_k = Numbers<T>(seq.batch * W * C), past_v = past_k, dpast_k = past_k, dpast_v = past_k;
  Numbers<T> position = Numbers<T>(seq.batch);

  std::vector<Numbers<T>*> results() { return {&y, &log_sum, &dq, &dk, &dv, &dpast_k, &dpast_v}; }
  template <class U>
  Problem<U, H, D, W> as() const {
    Problem<U, H, D, W> p{seq};
    const auto copy = [](auto& to, const auto& from) { to.assign(from.begin(), from.end()); };
    copy(p.q, q), copy(p.k, k), copy(p.v, v), copy(p.dy, dy), copy(p.position, position);
    copy(p.past_k, past_k), copy(p.past_v, past_v), copy(p.dpast_k, dpast_k), copy(p.dpast_v, dpast_v);
    return p;
  }
};
constexpr const char* names[] = {"y", "log_sum", "dq", "dk", "dv", "dpast_k", "dpast_v"};

template <class T, dim_t H, dim_t D, dim_t W>
void run(Problem<T, H, D, W>& p) {
  using B = Cpu<T>;
  using Rows = Tensor<B, Batch, Time, H * D>;
  using Ring = Tensor<B, Batch, W, H * D>;
  const Seq s = p.seq;
  Scratch<B> scratch;
  const Rows q{p.q.data(), s}, k{p.k.data(), s}, v{p.v.data(), s}, y{p.y.data(), s}, dy{p.dy.data(), s};
  const Ring past_k{p.past_k.data(), s}, past_v{p.past_v.data(), s};
  const Tensor<B, Batch, 1> position{p.position.data(), s};
  const Tensor<B, Batch, Time, H> log_sum{p.log_sum.data(), s};
  attention_forward<B, H, D>(scratch, q, k, v, past_k, past_v, position, y, log_sum);
  attention_backward<B, H, D>(scratch, q, k, v, past_k, past_v, position, y, log_sum, dy, Rows{p.dq.data(), s},
                              Rows{p.dk.data(), s}, Rows{p.dv.data(), s}, Ring{p.dpast_k.data(), s},
                              Ring{p.dpast_v.data(), s});
}

/// The same by the definition, every score at hand.
template <class R, dim_t H, dim_t D, dim_t W>
void define(Problem<R, H, D, W>& p) {
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
          top = std::max(top, score[s - first] = scale * dot(&p.q[i], key(p.k, p.past_k, s)));
        for (R s : score) total += std::exp(s - top);
        p.log_sum[(b * T + t) * H + h] = top + std::log(total);
        std::fill_n(&p.y[i], D, R(0));
        for (dim_t s = first; s <= last; ++s)
          for (dim_t c = 0; c < D; ++c)
            p.y[i + c] += std::exp(score[s - first] - top) / total * key(p.v, p.past_v, s)[c];
        along = dot(&p.dy[i], &p.y[i]);
        for (dim_t s = first; s <= last; ++s) {
          const R weight = std::exp(score[s - first] - top) / total;
          const R ds = weight * (dot(&p.dy[i], key(p.v, p.past_v, s)) - along) * scale;
          for (dim_t c = 0; c < D; ++c) {
            p.dq[i + c] += ds * key(p.k, p.past_k, s)[c];
            key(p.dk, p.dpast_k, s)[c] += ds * p.q[i + c];
            key(p.dv, p.dpast_v, s)[c] += weight * p.dy[i + c];
          }
        }
      }
    }
}

/// Every sequence has another past; rows of the ring that were never written hold NaN.
template <class T, dim_t H, dim_t D, dim_t W>
Problem<T, H, D, W> random_problem(Seq seq, std::mt19937& random, dim_t most_before = 3 * W, T spread = 1) {
  Problem<T, H, D, W> p{seq};
  std::normal_distribution<T> normal;
  for (auto* x : {&p.q, &p.k, &p.v, &p.dy, &p.past_k, &p.past_v, &p.dpast_k, &p.dpast_v})
    for (T& value : *x) value = normal(random);
  for (auto* x : {&p.q, &p.k, &p.past_k})
    for (T& value : *x) value *= spread;
  for (dim_t b = 0; b < seq.batch; ++b) {
    const dim_t before = b == 0 ? 0 : dim_t(random() % (most_before + 1));
    p.position[b] = T(before);
    for (dim_t r = before; r < W; ++r)
      for (auto* x : {&p.past_k, &p.past_v})
        std::fill_n(x->begin() + (b * W + r) * H * D, H * D, std::numeric_limits<T>::quiet_NaN());
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
    CHECK(difference(*got.results()[i], *want.results()[i]) <= tolerance);
  }
}

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
    check_against_definition<float, 2, 24, 33>({some(2), some(300)}, random, 1e-5);
    check_against_definition<double, 3, 8, 65>({some(3), some(100)}, random, 1e-12, 5);
  }
  for (dim_t time :
       {0, 1, 2, 3, 4, 5, 11, 12, 13, 23, 24, 25, 47, 48, 49, 63, 64, 65, 95, 96, 97, 127, 129, 192, 193}) {
    check_against_definition<double, 2, 8, 50>({2, time}, random, 1e-12);
    check_against_definition<float, 1, 16, 250>({2, time}, random, 1e-5);
  }
}

}  // namespace
