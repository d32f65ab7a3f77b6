#include <benchmark/benchmark.h>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/wkv4.hpp>
#include <rwkv/ops/wkv4/reference.hpp>

// WKV-4 forward, and forward with backward: span after span and as a scan, on one thread and on all, and beside the
// reference, which does the same one channel and one token after the other with libm.
namespace {

using namespace rwkv;
using B = Cpu<float>;

template <dim_t C>
struct Problem {
  Seq seq;
  using Numbers = std::vector<float, Eigen::aligned_allocator<float>>;  // as the library's memory is
  Numbers time_decay, time_first, dtime_decay, dtime_first, k, v, y, dy, dk, dv, state, dstate, starts;
  Scratch<B> scratch;

  explicit Problem(Seq s) : seq(s) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> drawn(1 << 16);  // then again: drawing millions would take longer than running them
    for (float& value : drawn) value = normal(random);
    auto fill = [&, from = std::size_t(0)](auto& x, dim_t n, float scale = 1, float shift = 0) mutable {
      x.resize(n);
      for (float& value : x) value = drawn[++from % drawn.size()] * scale + shift;
    };
    fill(time_decay, C, 2, -3), fill(time_first, C, .5f, -1.2f), fill(dtime_decay, C), fill(dtime_first, C);
    for (auto* x : {&k, &v, &y, &dy, &dk, &dv}) fill(*x, s.tokens() * C);
    for (auto* x : {&state, &dstate}) x->resize(s.batch * 3 * C);
    starts.resize(s.batch * s.spans() * 3 * C);
    for (dim_t b = 0; b < s.batch; ++b) std::fill_n(&state[(b * 3 + 2) * C], C, -1e38f);
  }

  void forward(bool keep, OverTime how = OverTime::automatic) {
    wkv4_forward<B, C>(scratch, {time_decay.data(), seq}, {time_first.data(), seq}, {k.data(), seq}, {v.data(), seq},
                       {y.data(), seq}, {state.data(), seq}, {keep ? starts.data() : nullptr, seq}, how);
  }
  void backward(OverTime how = OverTime::automatic) {
    wkv4_backward<B, C>(scratch, {time_decay.data(), seq}, {time_first.data(), seq}, {k.data(), seq}, {v.data(), seq},
                        {starts.data(), seq}, {dy.data(), seq}, {dk.data(), seq}, {dv.data(), seq},
                        {dtime_decay.data(), seq}, {dtime_first.data(), seq}, {dstate.data(), seq}, how);
  }

  /// The formulas of the paper, a channel and a token at a time.
  void naive(bool back) {
    wkv4::Reference<float>{seq,
                           C,
                           time_decay.data(),
                           time_first.data(),
                           k.data(),
                           v.data(),
                           y.data(),
                           state.data(),
                           back ? dy.data() : nullptr,
                           dk.data(),
                           dv.data(),
                           dtime_decay.data(),
                           dtime_first.data(),
                           dstate.data()}
        .run();
  }
};

template <dim_t C, class F>
void measure(benchmark::State& state, const F& f) {
  Problem<C> problem({state.range(0), state.range(1)});
  for (auto _ : state) {
    f(problem);
    benchmark::ClobberMemory();
  }
  using Counter = benchmark::Counter;  // prints as 1.2ns
  state.counters["per_token_channel"] =
      Counter(static_cast<double>(problem.seq.tokens() * C), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

template <dim_t C>
void forward(benchmark::State& state) {
  measure<C>(state, [](auto& p) { p.forward(false); });
}
template <dim_t C>
void forward_backward(benchmark::State& state) {
  measure<C>(state, [](auto& p) { p.forward(true), p.backward(); });
}
template <dim_t C>
void naive_forward(benchmark::State& state) {
  measure<C>(state, [](auto& p) { p.naive(false); });
}
template <dim_t C>
void naive_forward_backward(benchmark::State& state) {
  measure<C>(state, [](auto& p) { p.naive(true); });
}

template <dim_t C>
void over_time(benchmark::State& state, OverTime how, bool back, int threads) {
  set_threads(threads);
  measure<C>(state, [&](auto& p) {
    p.forward(back, how);
    if (back) p.backward(how);
  });
  set_threads(0);
}

template <dim_t C>
bool compare(std::vector<std::int64_t> lengths) {
  for (bool back : {false, true})
    for (auto time : lengths)
      for (auto [name, how, threads] : {std::tuple{"sequential/threads:1", OverTime::sequential, 1},
                                        {"sequential/threads:all", OverTime::sequential, 0},
                                        {"scan/threads:all", OverTime::scan, 0},
                                        {"automatic/threads:all", OverTime::automatic, 0}})
        benchmark::RegisterBenchmark(
            ((back ? "forward_backward<" : "forward<") + std::to_string(C) + ">/" + name).c_str(),
            [=, how = how, threads = threads](auto& state) { over_time<C>(state, how, back, threads); })
            ->Args({1, time})
            ->UseRealTime();
  return true;
}

#define WKV4(C, batch, time)                                                   \
  BENCHMARK_TEMPLATE(forward, C)->Args({batch, time})->UseRealTime();          \
  BENCHMARK_TEMPLATE(naive_forward, C)->Args({batch, time})->UseRealTime();    \
  BENCHMARK_TEMPLATE(forward_backward, C)->Args({batch, time})->UseRealTime(); \
  BENCHMARK_TEMPLATE(naive_forward_backward, C)->Args({batch, time})->UseRealTime()

WKV4(768, 8, 256);
WKV4(384, 8, 256);
WKV4(128, 8, 128);
WKV4(768, 1, 1);
const bool compared =
    compare<16>({16, 64, 256, 512, 1024, 4096, 65536, 1048576}) &&
    compare<64>({16, 64, 256, 512, 1024, 4096, 65536, 1048576}) &&
    compare<768>({8, 32, 256, 1024, 4096, 65536});  // a million tokens of 768 channels would take 20 GB

}  // namespace

BENCHMARK_MAIN();
