#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <rwkv/core/token_buffer.hpp>
#include <rwkv/gpu.hpp>

// Every kernel that is written in blocks of threads beside the portable one, on the same GPU, and both beside the time
// that their bytes need at the rate of a copy within its memory, or their operations at that of a large product. One
// line a kernel: ms, floor, share of the floor.
namespace {

using namespace rwkv;
constexpr dim_t C = 768, V = 50277, heads = 12, D = C / heads;
constexpr Seq seq{8, 1024};

/// The GPU without launch: what it would do with the portable kernels alone.
template <class T>
struct Portable : private Gpu<T> {
  using scalar = T;
  using Gpu<T>::allocate, Gpu<T>::deallocate, Gpu<T>::fill, Gpu<T>::copy, Gpu<T>::upload, Gpu<T>::download;
  using Gpu<T>::for_each, Gpu<T>::for_each_row, Gpu<T>::walk, Gpu<T>::matmul;
};
static_assert(Grid<Gpu<float>> && Backend<Portable<float>> && !Grid<Portable<float>>);

/// Milliseconds of a call: the median of 9, after one to warm up.
template <class Call>
double milliseconds(const Call& call) {
  cudaEvent_t begin, end;
  cudaEventCreate(&begin), cudaEventCreate(&end);
  std::vector<double> times;
  for (int i = 0; i < 10; ++i) {
    cudaEventRecord(begin);
    call();
    cudaEventRecord(end);
    if (const auto status = cudaEventSynchronize(end); status != cudaSuccess)
      throw Error("gpu_kernels: ", cudaGetErrorString(status));
    float ms = 0;
    cudaEventElapsedTime(&ms, begin, end);
    if (i > 0) times.push_back(ms);
  }
  cudaEventDestroy(begin), cudaEventDestroy(end);
  std::nth_element(times.begin(), times.begin() + 4, times.end());
  return times[4];
}

/// Bytes a second of a copy, there and back.
double copy_rate() {
  using B = Gpu<float>;
  const dim_t n = dim_t(1) << 28;
  const detail::Buffer<B> from(B::allocate(n)), to(B::allocate(n));
  return 8 * double(n) / (milliseconds([&] { B::copy(to.get(), from.get(), n); }) * 1e-3);
}

/// Operations a second of a product.
template <class B>
double product_rate() {
  const dim_t n = 4096;
  const auto one = typename B::scalar(1.f);
  const detail::Buffer<B> a(B::allocate(n * n)), b(B::allocate(n * n)), c(B::allocate(n * n));
  B::fill(a.get(), n * n, one), B::fill(b.get(), n * n, one);
  const auto product = [&] { B::matmul(Op::none, Op::none, n, n, n, a.get(), b.get(), c.get(), 0); };
  return 2 * double(n) * double(n) * double(n) / (milliseconds(product) * 1e-3);
}

struct Line {
  std::string name;
  double bytes, operations;
  bool on_bf16;
  double ms[2];  // in blocks, portable
};

template <class B>
struct Flat {
  Tensor<B, 64, 1 << 20> weight;
  static constexpr void fields(auto&& f, auto&&... p) { f(Field{"weight", init::zeros, true}, p.weight...); }
};

/// Runs all on one machine; fills the column `which`.
template <class B>
struct Kernels {
  using T = typename B::scalar;
  static constexpr bool on_bf16 = std::is_same_v<T, bf16>;
  std::vector<Line>& lines;
  int which;
  std::size_t next = 0;
  Scratch<B> scratch{};

  template <class Call>
  void time(const char* name, double bytes, const Call& call, double operations = 0) {
    if (next == lines.size()) lines.push_back({name, bytes, operations, on_bf16, {}});
    lines[next++].ms[which] = milliseconds(call);
  }
  template <dim_t... D>
  auto take(Seq s = seq) {
    auto x = scratch.template take<Shape<D...>>(s);
    std::vector<T> host(std::size_t(x.size()));
    for (std::size_t i = 0; i < host.size(); ++i) host[i] = T(float((i * 2654435761u >> 8) % 2001) / 1000 - 1);
    B::upload(x.data, host.data(), x.size());
    return x;
  }

  void run() {
    const double row = 4.0 * C * double(seq.tokens());
    std::vector<std::int32_t> ids(std::size_t(seq.tokens()));
    for (std::size_t i = 0; i < ids.size(); ++i) {  // as in a text: half the tokens are of few kinds
      const auto draw = i * 2654435761u >> 7;
      ids[i] = std::int32_t(draw % 2 ? draw / 2 % 50 : draw / 2 % std::size_t(V));
    }
    {
      const auto frame = scratch.frame();
      const auto x = take<Batch, Time, C>(), dy = take<Batch, Time, C>(), y = take<Batch, Time, C>();
      const auto w = take<C>(), b = take<C>(), dw = take<C>(), db = take<C>();
      const auto mean = take<Batch, Time>(), rstd = take<Batch, Time>();
      time("layer norm", 2 * row, [&] { layer_norm_forward<B>(scratch, 1e-5f, w, b, x, y, mean, rstd); });
      time("layer norm, back", 3 * row, [&] { layer_norm_backward<B>(scratch, w, x, mean, rstd, dy, y, dw, db); });
      const auto last = take<Batch, C>();
      const std::array mix{take<1, 1, C>(), take<1, 1, C>(), take<1, 1, C>()};
      const std::array out{take<Batch, Time, C>(), take<Batch, Time, C>(), take<Batch, Time, C>()};
      time("token shift", 4 * row, [&] { token_shift_forward<B>(scratch, mix, x, last, out); });
      time("token shift, back", 5 * row, [&] { token_shift_backward<B>(scratch, mix, x, last, out, y, mix, last); });
      const auto table = take<V, C>();
      TokenBuffer<B> tokens;
      const auto on_device = tokens(ids, seq);
      time("embedding, back", 3 * row, [&] { embedding_backward<B>(scratch, on_device, dy, table); });
    }
    {
      const auto frame = scratch.frame();
      const auto decay = take<C>(), bonus = take<C>(), ddecay = take<C>(), dbonus = take<C>();
      const auto k = take<Batch, Time, C>(), v = take<Batch, Time, C>(), y = take<Batch, Time, C>();
      const auto dk = take<Batch, Time, C>(), dv = take<Batch, Time, C>();
      const auto state = take<Batch, 3, C>(), dstate = take<Batch, 3, C>();
      const auto starts = take<Batch, Spans, 3, C>();
      time("WKV-4", 3 * row, [&] { wkv4_forward<B>(scratch, decay, bonus, k, v, y, state, starts); });
      B::fill(dstate.data, dstate.size(), 0);
      time("WKV-4, back", 5 * row,
           [&] { wkv4_backward<B>(scratch, decay, bonus, k, v, starts, y, dk, dv, ddecay, dbonus, dstate); });
    }
    attention("attention", "attention, back", "attention, one token");
    {
      const auto frame = scratch.frame();
      constexpr Seq part{2, 1024};
      const auto logits = take<Batch, Time, V>(part);
      TokenBuffer<B> tokens;
      const auto targets = tokens(std::span(ids).first(std::size_t(part.tokens())), part);
      time("cross-entropy", 4.0 * double(logits.size()), [&] { cross_entropy<B>(scratch, logits, targets); });
      time("cross-entropy, back", 8.0 * double(logits.size()),
           [&] { cross_entropy_backward<B>(scratch, logits, targets, 1, l2wrap); });
    }
    Owned<B, Flat<B>> params, gradient, m, v;
    const double n = double(params.size());
    time("norm of the gradient", 4 * n, [&] { sum_of_squares<B>(scratch, gradient.size(), gradient.data()); });
    time("AdamW", 32 * n, [&] { adamw_step<B>(AdamW{}, 1, 1e-3, 1, params, gradient, m, v); });
  }
  void run_bf16() { attention("attention, bf16", "attention, bf16, back", "attention, bf16, one"); }
  /// Where the call is the whole history, forth and back, and of one token behind a full ring.
  void attention(const char* forth, const char* back, const char* one_token) {
    const double row = double(sizeof(T)) * C * double(seq.tokens());
    const auto frame = scratch.frame();
    const auto q = take<Batch, Time, C>(), k = take<Batch, Time, C>(), v = take<Batch, Time, C>();
    const auto y = take<Batch, Time, C>(), dy = take<Batch, Time, C>();
    const auto dq = take<Batch, Time, C>(), dk = take<Batch, Time, C>(), dv = take<Batch, Time, C>();
    const auto softmax = scratch.template full<Shape<Batch, Time, heads, 2>>(seq);
    const double seen = double(seq.batch * heads) * double(seq.time * (seq.time + 1)) / 2;  // keys, by all tokens
    time(
        forth, 4 * row, [&] { attention_forward<B, heads, D>(scratch, q, k, v, y, softmax); }, 4 * D * seen);
    time(
        back, 8 * row, [&] { attention_backward<B, heads, D>(scratch, q, k, v, y, softmax, dy, dq, dk, dv); },
        10 * D * seen);
    constexpr Seq one{8, 1};
    const auto past_k = scratch.template full<Shape<Batch, 1024, C>>(seq);
    const auto past_v = scratch.template full<Shape<Batch, 1024, C>>(seq);
    const auto position = scratch.template full<Shape<Batch, 1>>(seq);
    Full<B>::fill(past_k.data, past_k.size(), 1), Full<B>::fill(past_v.data, past_v.size(), 1);
    Full<B>::fill(position.data, position.size(), 2000);
    const auto of_one = [&](auto x) { return Tensor<B, Batch, Time, C>{x.data, one}; };
    time(one_token, 8.0 * C * double(past_k.seq.batch * 1024), [&] {
      attention_forward<B, heads, D>(scratch, of_one(q), of_one(k), of_one(v), past_k, past_v, position, of_one(y),
                                     {softmax.data, one});
    });
  }
};

}  // namespace

int main() try {
  cudaDeviceProp device;
  if (gpu_count() > 0) cudaGetDeviceProperties(&device, 0);
  const double rate = copy_rate(), products = product_rate<Gpu<float>>(), products_bf16 = product_rate<Gpu<bf16>>();
  std::vector<Line> lines;
  Kernels<Gpu<float>>{lines, 0}.run();
  const std::size_t of_float = lines.size();
  Kernels<Gpu<bf16>>{lines, 0, of_float}.run_bf16();
  Kernels<Portable<float>>{lines, 1}.run();
  Kernels<Portable<bf16>>{lines, 1, of_float}.run_bf16();
  std::printf("%s, copies at %.0f GB/s, products at %.1f TFLOP/s, of bf16 at %.1f, %d x %d tokens, %d channels\n",
              device.name, rate * 1e-9, products * 1e-12, products_bf16 * 1e-12, int(seq.batch), int(seq.time), int(C));
  std::printf("%-22s %9s %9s %7s %12s %9s\n", "kernel", "ms", "floor", "share", "portable ms", "ratio");
  for (const Line& line : lines) {
    const double floor = std::max(line.bytes / rate, line.operations / (line.on_bf16 ? products_bf16 : products)) * 1e3;
    std::printf("%-22s %9.4f %9.4f %6.0f%% %12.4f %9.2f\n", line.name.c_str(), line.ms[0], floor,
                100 * floor / line.ms[0], line.ms[1], line.ms[1] / line.ms[0]);
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "gpu_kernels: %s\n", error.what());
  return 1;
}
