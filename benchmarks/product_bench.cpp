#include <benchmark/benchmark.h>
#if defined(RWKV_BENCH_OPENBLAS) && __has_include(<cblas.h>)
#include <cblas.h>
#define RWKV_BENCH_BLAS 1
#endif

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <rwkv/backend/cpu/eigen_products.hpp>
#include <rwkv/backend/cpu/tuned_products.hpp>
#include <rwkv/core/bf16.hpp>
#include <rwkv/core/buffer.hpp>
#include <rwkv/core/quantise.hpp>
#include <rwkv/ops/weight_format.hpp>

#include "rates.hpp"

// The products of training, f32: GFLOP/s of ours, Eigen and OpenBLAS (where there is one) at every form, shape and
// number of threads, and in bf16; many small products at once; and the product of decoding, in bytes of W per second,
// with W as floats, as bf16 and in blocks. "of_peak" is the share of what the units give in registers, "of_fp32" how
// many times the speed of floats bf16 and blocks have, "of_read" the share of a plain read of the same memory: of
// fastest calls, taken in turn.
//   env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE taskset -c 1 ./product_bench --benchmark_filter='threads:1'
namespace {

using namespace rwkv;

std::vector<float> noise(dim_t n) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> values(-1, 1);
  std::vector<float> x(n);
  for (float& v : x) v = values(random);
  return x;
}

struct Form {
  const char* name;
  Op of_a, of_b;
  float beta;
};
constexpr Form forms[] = {
    {"Y=XW'", Op::none, Op::transpose, 0}, {"dX=dYW", Op::none, Op::none, 0}, {"dW+=dY'X", Op::transpose, Op::none, 1}};

using Product = void (*)(Op, Op, dim_t, dim_t, dim_t, const float*, const float*, float*, float);
using Batched = void (*)(dim_t, Op, Op, dim_t, dim_t, dim_t, Matrices<const float>, Matrices<const float>,
                         Matrices<float>, float);
template <class T, class Weight>
using Decode = void (*)(Op, Op, dim_t, dim_t, dim_t, const T*, const Weight*, T*, float);

#ifdef RWKV_BENCH_BLAS
void product_openblas(Op of_a, Op of_b, dim_t m, dim_t n, dim_t k, const float* a, const float* b, float* c,
                      float beta) {
  const auto of = [](Op op) { return op == Op::none ? CblasNoTrans : CblasTrans; };
  cblas_sgemm(CblasRowMajor, of(of_a), of(of_b), int(m), int(n), int(k), 1, a, int(of_a == Op::none ? k : m), b,
              int(of_b == Op::none ? n : k), beta, c, int(n));
}
#endif

void use_threads(int threads) {
  set_threads(threads);
#ifdef RWKV_BENCH_BLAS
  openblas_set_num_threads(threads);
#endif
}

double seconds_of(const auto& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  benchmark::ClobberMemory();
  return took;
}

/// Times products; "best" is the fastest single call: on a shared machine the figure that means something.
void time(benchmark::State& state, dim_t products, const auto& run) {
  double best = 1e9;
  for (auto _ : state) best = std::min(best, seconds_of(run));
  const double work = 2e-9 * double(products);
  state.counters["GFLOP/s"] = benchmark::Counter(work * double(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["best"] = work / best;
}

void train(benchmark::State& state, Product run, Form form, int threads, dim_t m, dim_t n, dim_t k) {
  use_threads(threads);
  const auto a = noise(m * k), b = noise(k * n);
  std::vector<float> c(m * n);
  time(state, m * n * k, [&] { run(form.of_a, form.of_b, m, n, k, a.data(), b.data(), c.data(), form.beta); });
}

template <class T>
double peak(int threads) {
  static std::map<int, double> known;
  const auto [at, fresh] = known.try_emplace(threads);
  if (fresh) at->second = bench::multiplication_rate<T>();
  return at->second;
}

/// The same in bf16, with floats in turn: sums as floats where they are gradients of weights, else rounded.
template <class Out>
void train_bf16(benchmark::State& state, Form form, int threads, dim_t m, dim_t n, dim_t k) {
  use_threads(threads);
  const auto a = noise(m * k), b = noise(k * n);
  const std::vector<bf16> short_a(a.begin(), a.end()), short_b(b.begin(), b.end());
  std::vector<float> c(m * n);
  std::vector<Out> short_c(m * n, Out(0.0f));
  double best = 1e9, best_fp32 = 1e9;
  for (auto _ : state) {
    const double took = seconds_of([&] {
      TunedProducts::matmul(form.of_a, form.of_b, m, n, k, short_a.data(), short_b.data(), short_c.data(), form.beta);
    });
    state.SetIterationTime(took);
    best = std::min(best, took);
    best_fp32 =
        std::min(best_fp32, seconds_of([&] {
                   TunedProducts::matmul(form.of_a, form.of_b, m, n, k, a.data(), b.data(), c.data(), form.beta);
                 }));
  }
  const double work = 2 * double(m * n * k);
  state.counters["best"] = 1e-9 * work / best;
  state.counters["of_peak"] = work / best / peak<bf16>(threads);
  state.counters["of_fp32"] = best_fp32 / best;
}

/// Of heads that lie side by side in the rows of (tokens, heads * width): what a chunk of a recurrence multiplies.
void batched(benchmark::State& state, Batched run, Form form, int threads, dim_t m, dim_t n, dim_t k) {
  use_threads(threads);
  constexpr dim_t heads = 12;
  const bool across_a = form.of_a == Op::transpose, across_b = form.of_b == Op::transpose;
  const dim_t columns_a = across_a ? m : k, columns_b = across_b ? k : n;
  const auto a = noise(heads * m * k), b = noise(heads * k * n);
  std::vector<float> c(heads * m * n);
  time(state, heads * m * n * k, [&] {
    run(heads, form.of_a, form.of_b, m, n, k, {a.data(), heads * columns_a, columns_a},
        {b.data(), heads * columns_b, columns_b}, {c.data(), heads * n, n}, form.beta);
  });
}

constexpr dim_t memory = dim_t{40} << 20;  // floats, more than any cache holds

template <class T, class Weight>
void decode(benchmark::State& state, Decode<T, Weight> run, Op of_w, int threads, dim_t m, dim_t out, dim_t in) {
  use_threads(threads);
  const dim_t size = out * in, matrices = memory / size, floats = matrices * size * dim_t(sizeof(Weight)) / 4;
  const auto numbers = noise(matrices * size), x = noise(m * in);
  const std::vector<Weight> w(numbers.begin(), numbers.end());
  const rwkv::detail::Buffer<Cpu<T>> lines(Cpu<T>::allocate(m * in));  // as a model's lie
  for (dim_t i = 0; i < m * in; ++i) lines[i] = T(x[i]);
  std::vector<T> y(m * out);
  double best = 1e9, read = 1e9;
  for (auto _ : state) {
    const double took = seconds_of([&] {
      for (dim_t i = 0; i < matrices; ++i)
        run(Op::none, of_w, m, out, in, lines.get(), w.data() + i * size, y.data(), 0);
    });
    state.SetIterationTime(took);
    best = std::min(best, took);
    read = std::min(read, seconds_of([&] {
                      benchmark::DoNotOptimize(bench::read_all(reinterpret_cast<const float*>(w.data()), floats));
                    }));
  }
  state.SetBytesProcessed(state.iterations() * floats * 4);
  state.counters["of_read"] = read / best;
}

/// By weights in blocks, one row to a whole prompt, with floats and plain reads in turn.
template <class Stored>
void blocks(benchmark::State& state, int threads, dim_t m, dim_t out, dim_t in) {
  use_threads(threads);
  const dim_t size = out * in, matrices = m > 16 ? 1 : memory / size,
              bytes = matrices * size / 32 * dim_t(sizeof(Stored));
  const auto w = noise(matrices * size), x = noise(m * in);
  std::vector<Stored> stored(w.size() / 32);
  encode<float>(storage_of<Stored>, w, reinterpret_cast<std::byte*>(stored.data()));
  std::vector<float> y(m * out);
  Scratch<Cpu<float>> scratch;
  double best = 1e9, best_fp32 = 1e9, read = 1e9;
  for (auto _ : state) {
    const double took = seconds_of([&] {
      for (dim_t i = 0; i < matrices; ++i)
        stored_as<Cpu<float>, Stored>.product(scratch, m, out, in, x.data(), stored.data() + i * size / 32, y.data(),
                                              0);
    });
    state.SetIterationTime(took);
    best = std::min(best, took);
    best_fp32 = std::min(best_fp32, seconds_of([&] {
                           for (dim_t i = 0; i < matrices; ++i)
                             TunedProducts::matmul(Op::none, Op::transpose, m, out, in, x.data(), w.data() + i * size,
                                                   y.data(), 0.f);
                         }));
    read =
        std::min(read, seconds_of([&] {
                   benchmark::DoNotOptimize(bench::read_all(reinterpret_cast<const float*>(stored.data()), bytes / 4));
                 }));
  }
  state.counters["of_fp32"] = best_fp32 / best;
  state.counters["of_read"] = read / best;
}

const bool registered = [] {
  const auto add = [](const std::string& name, auto&&... arguments) {
    return benchmark::RegisterBenchmark(name.c_str(), arguments...)->MinTime(0.2);
  };
  const int cores = available_processors();
  std::vector<int> counts{1};
  if (cores > 1) counts.push_back(cores);
  std::vector<std::pair<const char*, Product>> products{{"ours", TunedProducts::matmul<float, float, float>},
                                                        {"eigen", EigenProducts::matmul<float, float, float>}};
#ifdef RWKV_BENCH_BLAS
  products.emplace_back("openblas", product_openblas);
#endif
  struct Linear {
    dim_t in, out;
  };
  constexpr Linear layers[] = {{128, 128}, {128, 512},  {512, 128},  {384, 384}, {384, 1536}, {1536, 384},
                               {768, 768}, {768, 3072}, {3072, 768}, {768, 96},  {128, 96}};
  for (const int threads : counts) {
    const std::string on = "/threads:" + std::to_string(threads);
    for (const dim_t tokens : {1024, 2048})
      for (const auto [in, out] : layers)
        for (const Form& form : forms) {
          const bool weights = form.of_a == Op::transpose, back = form.of_b == Op::none && !weights;
          const dim_t m = weights ? out : tokens, n = weights || back ? in : out,
                      k = weights ? tokens
                          : back  ? out
                                  : in;
          const std::string name = std::string(form.name) + "/" + std::to_string(in) + "->" + std::to_string(out) +
                                   "/tokens:" + std::to_string(tokens) + on + "/";
          for (const auto& [who, run] : products) add(name + who, train, run, form, threads, m, n, k)->UseRealTime();
          add(name + "bf16", weights ? train_bf16<float> : train_bf16<bf16>, form, threads, m, n, k)->UseManualTime();
        }
    struct Size {
      dim_t m, n, k;
    };
    for (const auto [m, n, k] : {Size{16, 16, 64}, Size{64, 64, 16}, Size{16, 64, 16}, Size{32, 32, 64},
                                 Size{64, 64, 32}, Size{64, 64, 64}, Size{1, 64, 64}})
      for (const Form& form : forms)
        for (const auto& [who, run] :
             {std::pair<const char*, Batched>{"ours", TunedProducts::batched_matmul<float, float>},
              std::pair<const char*, Batched>{"eigen", EigenProducts::batched_matmul<float, float>}})
          add("batched/" + std::string(form.name) + "/" + std::to_string(m) + "x" + std::to_string(n) + "x" +
                  std::to_string(k) + on + "/" + who,
              batched, run, form, threads, m, n, k)
              ->UseRealTime();
    for (const dim_t rows : {1, 2, 4, 8})
      for (const auto [in, out] : {Linear{768, 768}, Linear{768, 3072}, Linear{3072, 768}, Linear{768, 50277}}) {
        const std::string name =
            "decode/" + std::to_string(in) + "->" + std::to_string(out) + "/rows:" + std::to_string(rows) + on + "/";
        for (const auto& [who, run] : products)
          add(name + who, decode<float, float>, run, Op::transpose, threads, rows, out, in)->UseManualTime();
        add(name + "bf16 weights", decode<float, bf16>,
            static_cast<Decode<float, bf16>>(TunedProducts::matmul<float, bf16, float>), Op::transpose, threads, rows,
            out, in)
            ->UseManualTime();
        add(name + "bf16", decode<bf16, bf16>, static_cast<Decode<bf16, bf16>>(TunedProducts::matmul<bf16, bf16, bf16>),
            Op::transpose, threads, rows, out, in)
            ->UseManualTime();
      }
    for (const dim_t rows : {1, 2, 4, 8, 16, 64, 512})
      for (const auto [in, out] : {Linear{768, 768}, Linear{768, 3072}, Linear{3072, 768}}) {
        const std::string name =
            "blocks/" + std::to_string(in) + "->" + std::to_string(out) + "/rows:" + std::to_string(rows) + on + "/";
        add(name + "q8_0", blocks<Q8_0>, threads, rows, out, in)->UseManualTime();
        add(name + "q4_0", blocks<Q4_0>, threads, rows, out, in)->UseManualTime();
      }
    for (const auto [in, out] : {Linear{768, 64}, Linear{64, 768}})  // factors of low rank, which lie (in, out)
      for (const auto& [who, run] : products)
        add("decode/factor/" + std::to_string(in) + "->" + std::to_string(out) + on + "/" + who, decode<float, float>,
            run, Op::none, threads, 1, out, in)
            ->UseManualTime();
  }
  return true;
}();

}  // namespace
