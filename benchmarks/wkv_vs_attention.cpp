#include <benchmark/benchmark.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/owned.hpp>
#include <rwkv/io/atomic_file.hpp>
#include <rwkv/ops/attention.hpp>
#include <rwkv/ops/wkv4.hpp>

#include <rwkv/backend/processor.hpp>
#include <rwkv/drawing/chart.hpp>
#include "../examples/options.hpp"
#include "naive_attention.hpp"
#include "rates.hpp"
#include "wkv7_problem.hpp"

// WKV-4, step after step and as a scan over time, and WKV-7 in chunks, beside softmax attention, plain and in blocks:
// time and memory against the length, each with its floor: the largest of bytes over bandwidth, exponentials over their
// rate and operations of products over theirs, all three measured here.
namespace {

using namespace rwkv;
using B = Cpu<float>;

double limit = 4;
bench::Rates rates;

/// What one call has to do at least.
struct Work {
  double bytes, exponentials, operations;
  double floor() const {
    return std::max({bytes / rates.bytes, exponentials / rates.exponentials, operations / rates.operations});
  }
};

template <dim_t... D>
struct Held {  // a tensor with its memory, random normal numbers in it
  struct Single {
    Tensor<B, D...> tensor;
    static constexpr void fields(auto&& f, auto&&... s) { f(Field{"", init::zeros}, s.tensor...); }
  };
  Owned<B, Single> memory;
  Held(Seq seq, std::uint64_t seed, float scale = 1, float shift = 0) : memory(seq) {
    constexpr dim_t some = 1 << 16;  // then again: drawing a million tokens would take longer than running them
    const Random random{seed};
    std::vector<float> drawn(static_cast<std::size_t>(std::min(some, memory.tensor.size())));
    for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = shift + scale * float(random.normals(i / 2)[i % 2]);
    for (dim_t i = 0; i < memory.tensor.size(); ++i) memory.tensor[i] = drawn[static_cast<std::size_t>(i % some)];
  }
  operator Tensor<B, D...>() const { return memory.tensor; }
  double bytes() const { return 4.0 * double(memory.size()); }
};

template <dim_t C>
struct Wkv {
  using Signal = Held<Batch, Time, C>;
  Seq seq;
  bool back;
  Held<C> time_decay{{}, 1, 2, -3}, time_first{{}, 2}, dtime_decay{{}, 3}, dtime_first{{}, 4};
  Signal k{seq, 5}, v{seq, 6}, y{seq, 7}, dy{back ? seq : Seq{1, 0}, 8}, dk{dy.memory.seq(), 9},
      dv{dy.memory.seq(), 10};
  Held<Batch, 3, C> state{seq, 11, 0}, dstate{seq, 12, 0};
  Held<Batch, Spans, 3, C> starts{back ? seq : Seq{1, 0}, 13};
  Scratch<B> scratch{};

  void run(OverTime how) {
    for (dim_t b = 0; b < seq.batch; ++b) {
      std::fill_n(&state.memory.tensor[b * 3 * C], 2 * C, 0.0f);
      std::fill_n(&state.memory.tensor[(b * 3 + 2) * C], C, -1e38f);
    }
    wkv4_forward<B, C>(scratch, time_decay, time_first, k, v, y, state,
                       back ? Tensor<B, Batch, Spans, 3, C>(starts) : Tensor<B, Batch, Spans, 3, C>{nullptr, seq}, how);
    if (back)
      wkv4_backward<B, C>(scratch, time_decay, time_first, k, v, starts, dy, dk, dv, dtime_decay, dtime_first, dstate,
                          how);
  }
  double bytes() const {
    return k.bytes() + v.bytes() + y.bytes() + dy.bytes() + dk.bytes() + dv.bytes() + starts.bytes() +
           4.0 * double(scratch.size());
  }
  static Work work(Seq seq, bool back) {
    const double n = double(seq.tokens() * C);  // 2 exponentials a token forwards, 2 backwards
    return {n * 4 * (back ? 8 : 3), n * (back ? 4 : 2), 0};
  }
};

template <dim_t C>
struct Wkv7 {
  bench::Wkv7Problem<C / 64, 64> problem;
  bool back;
  Wkv7(Seq seq, bool back) : problem(seq), back(back) {}

  void run(wkv7::OverTime how) {
    std::fill(problem.state.begin(), problem.state.end(), 0.f);
    std::fill(problem.dstate.begin(), problem.dstate.end(), 0.f);
    problem.forward(back, how);
    if (back) problem.backward(how);
  }
  double bytes() const { return problem.bytes() + 4.0 * double(problem.scratch.size()); }
  /// A token asks the state twice and adds to it twice, forwards; each of these products has two gradients.
  static Work work(Seq seq, bool back) {
    const double n = double(seq.tokens() * C);
    return {n * 4 * (back ? 22 : 7), n, n * 64 * 2 * (back ? 4 + 8 : 4)};
  }
};

template <dim_t C>
struct Attention {
  static constexpr dim_t H = C / 64, D = 64;
  using Signal = Held<Batch, Time, C>;
  Seq seq;
  bool back;
  Signal q{seq, 1}, k{seq, 2}, v{seq, 3}, y{seq, 4};
  Held<Batch, Time, H, 2> softmax{seq, 5};
  Signal dy{back ? seq : Seq{1, 0}, 6}, dq{dy.memory.seq(), 7}, dk{dy.memory.seq(), 8}, dv{dy.memory.seq(), 9};
  Scratch<B> scratch{};
  bench::NaiveAttention<H, D> naive{};

  void run(bool blocks) {
    if (!blocks) return naive.run(q, k, v, y, dy, dq, dk, dv, back);
    attention_forward<B, H, D>(scratch, q, k, v, y, softmax);
    if (back) attention_backward<B, H, D>(scratch, q, k, v, y, softmax, dy, dq, dk, dv);
  }
  double bytes() const {
    return q.bytes() + k.bytes() + v.bytes() + y.bytes() + dy.bytes() + dq.bytes() + dk.bytes() + dv.bytes() +
           softmax.bytes() + 4.0 * double(scratch.size()) + naive.bytes();
  }
  static Work work(Seq seq, bool back) {
    const double pairs = double(seq.batch) * double(seq.time) * double(seq.time + 1) / 2;
    return {double(seq.tokens() * C) * 4 * (back ? 12 : 4), pairs * H * (back ? 2 : 1),
            pairs * C * 2 * (back ? 2 + 5 : 2)};
  }
};

/// The points of a chart, by the name of the line.
std::map<std::string, drawing::Series> times, memories;

template <class Problem, class How>
void add(const std::string& name, dim_t channels, Seq seq, bool back, double slower, How how, bool drawn) {
  const Work work = Problem::work(seq, back);
  const std::string full = name + (back ? "/forward+backward" : "/forward") + "/B:" + std::to_string(seq.batch) +
                           "/C:" + std::to_string(channels) + "/T:" + std::to_string(seq.time);
  if (const double seconds = work.floor() * slower; seconds > limit) {
    std::printf("left out: %s, about %.0f s a call (--limit)\n", full.c_str(), seconds);
    return;
  }
  benchmark::RegisterBenchmark(full.c_str(),
                               [=](benchmark::State& state) {
                                 Problem problem{seq, back};
                                 problem.run(how);  // scratch grows once
                                 using Clock = std::chrono::steady_clock;
                                 double best = HUGE_VAL;
                                 for (auto _ : state) {
                                   const auto start = Clock::now();
                                   problem.run(how);
                                   benchmark::ClobberMemory();
                                   best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
                                 }
                                 state.counters["ns_per_token"] = best * 1e9 / double(seq.tokens());
                                 state.counters["floor_ms"] = work.floor() * 1e3;
                                 state.counters["share"] = work.floor() / best;
                                 state.counters["MB"] = problem.bytes() / (1 << 20);
                                 if (!drawn) return;
                                 auto &time = times[name].points, &memory = memories[name].points;
                                 if (!time.empty() && time.back().first == double(seq.time)) {  // a longer try
                                   time.back().second = std::min(time.back().second, best);
                                   return;
                                 }
                                 time.emplace_back(double(seq.time), best);
                                 memory.emplace_back(double(seq.time), problem.bytes());
                               })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond)
      ->MinTime(0.2);
}

template <dim_t C>
void add_all(dim_t batch, dim_t longest, bool drawn) {
  for (const bool back : {false, true})
    for (dim_t time = 256; time <= longest; time *= 4) {
      const Seq seq{batch, time};
      add<Wkv<C>>("WKV-4, scan", C, seq, back, 2, OverTime::scan, back && drawn);
      add<Wkv<C>>("WKV-4, step by step", C, seq, back, 4, OverTime::sequential, back && drawn);
      add<Wkv7<C>>("WKV-7, chunks", C, seq, back, 4, wkv7::OverTime::chunked, back && drawn);
      add<Attention<C>>("attention, blocks", C, seq, back, 1.5, true, back && drawn);
      if (time <= 4096) add<Attention<C>>("attention, T x T", C, seq, back, 4, false, back && drawn);
    }
}

void draw(const std::string& path) {
  using drawing::Scale;
  drawing::Chart time{"Forward and backward, B = 1, C = 64", "tokens", "seconds", {}, {}, Scale::binary};
  drawing::Chart memory{"Memory of operands, results and scratch", "tokens", "bytes", {}, {}, Scale::binary};
  std::size_t lines = 0;
  for (const char* name :
       {"WKV-4, scan", "attention, blocks", "WKV-7, chunks", "attention, T x T", "WKV-4, step by step"}) {
    drawing::Series line = drawing::style(lines++);
    line.name = name;
    for (auto [from, to] : {std::pair{&times, &time}, std::pair{&memories, &memory}}) {
      line.points = (*from)[name].points;
      if (!line.points.empty()) to->series.push_back(line);
    }
  }
  for (const char* name : {"WKV-4, scan", "WKV-7, chunks"})
    if (const double x = drawing::crossing(times[name], times["attention, blocks"]); x > 0)
      time.marks.push_back({x, std::string(name) + ": equal at " + std::to_string(long(x)) + " tokens"});
  const std::string picture =
      drawing::svg({time, memory}, processor_name() + ", " + std::to_string(pool().threads()) + " threads, float");
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(picture)));
  file.commit();
}

}  // namespace

int main(int argc, char** argv) {
  std::string svg;
  dim_t longest = 1 << 20;
  int threads = 0;
  benchmark::Initialize(&argc, argv);  // takes its own options out
  CLI::App app("Times WKV-4 and WKV-7 beside softmax attention, against the length.", "wkv_vs_attention");
  app.option_defaults()->always_capture_default();
  app.add_option("--svg", svg, "file to draw it in");
  app.add_option("--limit", limit, "leaves out what one call would take more seconds for")->check(example::positive());
  app.add_option("--longest", longest, "tokens")->check(example::between(dim_t{256}, dim_t{1} << 30));
  app.add_option("--threads", threads, "0: as many as the machine has")->check(example::between(0, 1024));
  return example::run(app, argc, argv, [&] {
    set_threads(threads);
    rates = bench::measure_rates();
    std::printf("%s, %d threads: %.1f GB/s, %.2f G exponentials/s, %.0f GFLOP/s in products\n",
                processor_name().c_str(), pool().threads(), rates.bytes / 1e9, rates.exponentials / 1e9,
                rates.operations / 1e9);
    add_all<64>(1, longest, true);
    add_all<768>(1, std::min<dim_t>(longest, 1 << 16), false);
    add_all<64>(8, std::min<dim_t>(longest, 1 << 16), false);
    benchmark::RunSpecifiedBenchmarks();
    if (!svg.empty()) draw(svg);
    return 0;
  });
}
