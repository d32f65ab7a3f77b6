#pragma once
#include <benchmark/benchmark.h>

#include <initializer_list>
#include <string>
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

/// A way over time, and on how many threads; 0: on all.
struct Way {
  const char* name;
  OverTime how;
  int threads;
};
using Shapes = std::vector<std::vector<std::int64_t>>;

template <class F>
void add(const std::string& name, const Shapes& shapes, const F& f) {
  for (const auto& shape : shapes) benchmark::RegisterBenchmark(name.c_str(), f)->Args(shape)->UseRealTime();
}
template <dim_t H, dim_t N>
std::string pass(bool back) {
  return (back ? "forward_backward<" : "forward<") + std::to_string(H) + ", " + std::to_string(N) + ">/";
}

/// Registers these ways over time. A Problem has forward and backward.
template <template <dim_t, dim_t> class Problem, dim_t H, dim_t N>
bool compare_ways(const Shapes& shapes, std::initializer_list<Way> ways) {
  for (bool back : {false, true})
    for (const Way way : ways)
      add(pass<H, N>(back) + way.name, shapes,
          [=](auto& state) { over_time<Problem, H, N>(state, way.how, back, way.threads); });
  return true;
}
/// Registers the usual ways over time, on one thread and on all, and the reference: the Problem's `naive`.
template <template <dim_t, dim_t> class Problem, dim_t H, dim_t N>
bool compare(const Shapes& shapes) {
  for (bool back : {false, true})
    add(pass<H, N>(back) + "naive", shapes,
        [=](auto& state) { measure<Problem, H, N>(state, [=](auto& p) { p.naive(back); }); });
  return compare_ways<Problem, H, N>(shapes, {{"sequential/threads:1", OverTime::sequential, 1},
                                              {"sequential/threads:all", OverTime::sequential, 0},
                                              {"chunked/threads:1", OverTime::chunked, 1},
                                              {"chunked/threads:all", OverTime::chunked, 0},
                                              {"automatic/threads:all", OverTime::automatic, 0}});
}

}  // namespace bench
