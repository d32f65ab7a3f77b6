#pragma once
#include <benchmark/benchmark.h>

#include <string>
#include <tuple>
#include <vector>

#include <rwkv/backend/pool.hpp>
#include <rwkv/core/shape.hpp>
#include <rwkv/ops/heads.hpp>

// How recurrences with a matrix for each head are timed.
namespace bench {

using namespace rwkv;
using heads::OverTime;

template <template <dim_t, dim_t> class Problem, dim_t H, dim_t N, class F>
void measure(benchmark::State& state, const F& f) {
  Problem<H, N> problem({state.range(0), state.range(1)});
  for (auto _ : state) {
    f(problem);
    benchmark::ClobberMemory();
  }
  using Counter = benchmark::Counter;  // prints as 1.2ns
  state.counters["per_token_head"] =
      Counter(static_cast<double>(problem.seq.tokens() * H), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

template <template <dim_t, dim_t> class Problem, dim_t H, dim_t N>
void over_time(benchmark::State& state, OverTime how, bool back, int threads) {
  set_threads(threads);
  measure<Problem, H, N>(state, [&](auto& p) {
    p.forward(back, how);
    if (back) p.backward(how);
  });
  set_threads(0);
}

/// Registers every way over time, on one thread and on all, and the reference. A Problem has forward, backward, naive.
template <template <dim_t, dim_t> class Problem, dim_t H, dim_t N>
bool compare(std::vector<std::vector<std::int64_t>> shapes) {
  const auto add = [&](const std::string& name, const auto& f) {
    for (const auto& shape : shapes) benchmark::RegisterBenchmark(name.c_str(), f)->Args(shape)->UseRealTime();
  };
  const std::string heads = "<" + std::to_string(H) + ", " + std::to_string(N) + ">/";
  for (bool back : {false, true}) {
    const std::string pass = (back ? "forward_backward" : "forward") + heads;
    for (auto [name, how, threads] : {std::tuple{"sequential/threads:1", OverTime::sequential, 1},
                                      {"sequential/threads:all", OverTime::sequential, 0},
                                      {"chunked/threads:1", OverTime::chunked, 1},
                                      {"chunked/threads:all", OverTime::chunked, 0},
                                      {"automatic/threads:all", OverTime::automatic, 0}})
      add(pass + name,
          [=, how = how, threads = threads](auto& state) { over_time<Problem, H, N>(state, how, back, threads); });
    add(pass + "naive", [=](auto& state) { measure<Problem, H, N>(state, [=](auto& p) { p.naive(back); }); });
  }
  return true;
}

}  // namespace bench
