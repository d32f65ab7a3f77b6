#include <benchmark/benchmark.h>

#include <Eigen/Core>

#include <cmath>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/ops/wkv7.hpp>
#include <rwkv/ops/wkv7/reference.hpp>

// WKV-7 forward, and forward with backward: token after token and in chunks, on one thread and on all, and beside the
// reference, which does the same one token after the other in plain loops.
namespace {

using namespace rwkv;
using wkv7::OverTime;
using B = Cpu<float>;

template <dim_t H, dim_t N>
struct Problem {
  using Numbers = std::vector<float, Eigen::aligned_allocator<float>>;  // as the library's memory is
  Seq seq;
  Numbers in[6], d[6], y, dy, recalled, state, dstate, starts;  // r, w, k, v, a, b
  Scratch<B> scratch;

  explicit Problem(Seq s) : seq(s) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    const auto n = std::size_t(s.tokens() * H * N);
    for (auto* x : {&y, &dy, &recalled}) x->resize(n);
    for (auto& x : d) x.resize(n);
    for (auto& x : in) {
      x.resize(n);
      for (float& value : x) value = normal(random);
    }
    for (float& value : dy) value = normal(random);
    for (float& value : in[1]) value = -0.60653066f / (1 + std::exp(-value));
    for (std::size_t i = 0; i < n; i += N) {  // a: minus a normalised key; b: a share of it
      float norm = 0;
      for (std::size_t c = i; c < i + N; ++c) norm += in[4][c] * in[4][c];
      for (std::size_t c = i; c < i + N; ++c)
        in[4][c] /= -std::sqrt(norm), in[5][c] = -in[4][c] / (1 + std::exp(-in[5][c]));
    }
    state.resize(std::size_t(s.batch * H * N * N)), dstate.resize(state.size());
    starts.resize(state.size() * std::size_t(s.spans()));
  }

  wkv7::Signals<B, H, N> signals(Numbers (&x)[6]) {
    return {{x[0].data(), seq}, {x[1].data(), seq}, {x[2].data(), seq},
            {x[3].data(), seq}, {x[4].data(), seq}, {x[5].data(), seq}};
  }
  void forward(bool keep, OverTime how = OverTime::automatic) {
    wkv7::Kept<B, H, N> kept;
    if (keep) kept = {{starts.data(), seq}, {recalled.data(), seq}};
    wkv7_forward(scratch, signals(in), {y.data(), seq}, {state.data(), seq}, kept, how);
  }
  void backward(OverTime how = OverTime::automatic) {
    wkv7_backward(scratch, signals(in), {{starts.data(), seq}, {recalled.data(), seq}}, {dy.data(), seq}, signals(d),
                  {dstate.data(), seq}, how);
  }
  /// The formulas of the paper, a head and a token at a time.
  void naive(bool back) {
    auto& [r, w, k, v, a, b] = in;
    auto& [dr, dw, dk, dv, da, db] = d;
    wkv7::Reference<float> reference{seq,      H,        N,        r.data(), w.data(),    k.data(),
                                     v.data(), a.data(), b.data(), y.data(), state.data()};
    reference.dr = dr.data(), reference.dw = dw.data(), reference.dk = dk.data(), reference.dv = dv.data();
    reference.da = da.data(), reference.db = db.data(), reference.dstate = dstate.data();
    if (back) reference.dy = dy.data();
    reference.run();
  }
};

template <dim_t H, dim_t N, class F>
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

template <dim_t H, dim_t N>
void over_time(benchmark::State& state, OverTime how, bool back, int threads) {
  set_threads(threads);
  measure<H, N>(state, [&](auto& p) {
    p.forward(back, how);
    if (back) p.backward(how);
  });
  set_threads(0);
}

template <dim_t H, dim_t N>
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
      add(pass + name, [=, how = how, threads = threads](auto& state) { over_time<H, N>(state, how, back, threads); });
    add(pass + "naive", [=](auto& state) { measure<H, N>(state, [=](auto& p) { p.naive(back); }); });
  }
  return true;
}

const bool compared = compare<12, 64>({{8, 256}, {1, 1}, {1, 4}, {1, 16}, {1, 64}, {1, 1024}}) &&
                      compare<6, 64>({{8, 256}}) && compare<2, 64>({{8, 128}});

}  // namespace

BENCHMARK_MAIN();
