#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/attention.hpp>

#include "rates.hpp"

// Causal attention, 12 heads of 64, f32: by rows ("naive") and by blocks; forward, forward with backward, and one token
// behind a full window. "floor" is the share of what the products of the causal half alone would reach in registers, or
// of what reading the window alone would take, both measured in the same run; "best" is the fastest single call in ms,
// on a shared machine the figure that means something.
namespace {

using namespace rwkv;
using B = Cpu<float>;
constexpr dim_t H = 12, D = 64, C = H * D;

struct Problem {
  Seq seq;
  std::vector<float> q, k, v, y, dy, dq, dk, dv, softmax;
  Scratch<B> scratch;

  explicit Problem(Seq s) : seq(s) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (auto* x : {&q, &k, &v, &y, &dy, &dq, &dk, &dv}) {
      x->resize(s.tokens() * C);
      for (float& value : *x) value = normal(random);
    }
    softmax.resize(s.tokens() * H * 2);
  }
  template <template <class, dim_t> class Attention>
  void forward() {
    Attention<B, D>::forward(scratch, {detail::history_of_call<float>(seq, H, D),
                                       q.data(),
                                       {k.data(), nullptr},
                                       {v.data(), nullptr},
                                       y.data(),
                                       {softmax.data()}});
  }
  template <template <class, dim_t> class Attention>
  void backward() {
    Attention<B, D>::backward(scratch,
                              {detail::history_of_call<float>(seq, H, D),
                               q.data(),
                               {k.data(), nullptr},
                               {v.data(), nullptr},
                               y.data(),
                               {softmax.data()},
                               dy.data(),
                               dq.data(),
                               nullptr},
                              {dk.data(), nullptr}, {dv.data(), nullptr});
  }
};

template <class F>
double best_of(benchmark::State& state, const F& f) {
  double best = 1e9;
  f();
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    benchmark::ClobberMemory();
  }
  state.counters["best_ms"] = best * 1e3;
  return best;
}

template <template <class, dim_t> class Attention, bool back>
void attention(benchmark::State& state) {
  Problem problem({state.range(0), state.range(1)});
  const double best = best_of(state, [&] {
    problem.forward<Attention>();
    if (back) problem.backward<Attention>();
  });
  const double time = double(state.range(1)), pairs = double(state.range(0)) * H * time * (time + 1) / 2;
  const double work = 2e-9 * D * (back ? 7 : 2) * pairs;
  state.counters["GFLOP/s"] = work / best;
  state.counters["floor"] = work * 1e9 / best / bench::multiplication_rate<float>();
}

/// One token behind a full window of the given length; the floor is reading the window.
template <dim_t window>
void decode(benchmark::State& state) {
  Problem one({state.range(0), 1}), past({state.range(0), window});
  std::vector<float> position(state.range(0), float(window));
  const double best = best_of(state, [&] {
    attention_forward<B, H, D, window>(one.scratch, {one.q.data(), one.seq}, {one.k.data(), one.seq},
                                       {one.v.data(), one.seq}, {past.k.data(), one.seq}, {past.v.data(), one.seq},
                                       {position.data(), one.seq}, {one.y.data(), one.seq},
                                       {one.softmax.data(), one.seq});
  });
  const auto n = dim_t(past.k.size());
  const double reading = bench::detail::best_seconds(
      [&] { benchmark::DoNotOptimize(bench::read_all(past.k.data(), n) + bench::read_all(past.v.data(), n)); }, 100);
  state.counters["GB/s"] = 2e-9 * double(past.k.size() * sizeof(float)) / best;
  state.counters["floor"] = reading / best;
}

#define ATTENTION(...) \
  BENCHMARK_TEMPLATE(attention, __VA_ARGS__)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(0.5)
#define LENGTHS(batch) Args({batch, 256})->Args({batch, 1024})->Args({batch, 4096})

ATTENTION(detail::AttentionOn, false)->LENGTHS(1)->LENGTHS(8);
ATTENTION(detail::AttentionOn, true)->LENGTHS(1)->LENGTHS(8);
BENCHMARK(decode<1024>)->Arg(1)->Arg(8)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(decode<16384>)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);
ATTENTION(detail::ReferenceAttention, false)->LENGTHS(1);
ATTENTION(detail::ReferenceAttention, true)->LENGTHS(1);

}  // namespace

BENCHMARK_MAIN();
