// Tokens per second of decoding one token at a time, as one line of JSON, with the share of what reading the weights
// once per token at the measured read bandwidth allows.
#include <chrono>

#include <rwkv/backend/graph_cache.hpp>
#include <rwkv/core/token_buffer.hpp>
#include <rwkv/ops/norm.hpp>
#include <rwkv/rwkv.hpp>

#include "../examples/device.hpp"
#include "../examples/options.hpp"
#include "machine.hpp"
using namespace rwkv;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Options {
  std::string device = "cpu", precision = "fp32", model = "rwkv4", size = "768x12";
  dim_t vocab = 50277;
  int threads = 0, prompt = 32, tokens = 128;
};

/// The norm of all numbers: as fast as a machine of blocks reads memory.
template <class B>
double read_bytes_per_second(const typename B::scalar*, dim_t n) {
  std::vector<double> rates;
  const detail::Buffer<Accum<B>> numbers(Accum<B>::allocate(n));
  Accum<B>::fill(numbers.get(), n, 1);
  Scratch<B> scratch;
  for (int round = 0; round < 9; ++round) {
    const auto start = Clock::now();
    sum_of_squares<B>(scratch, n, numbers.get());
    rates.push_back(double(n) * sizeof(compute_of<typename B::scalar>) / seconds_since(start));
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}
/// Sums of all numbers, by every thread: as fast as this machine reads memory.
template <>
double read_bytes_per_second<Cpu<float>>(const float* data, dim_t n) {
  std::vector<double> rates;
  constexpr dim_t block = 1 << 16;
  std::vector<float> sums(std::size_t(n / block + 1));
  for (int round = 0; round < 9; ++round) {
    const auto start = Clock::now();
    pool().run(n / block, [&](dim_t i) {
      constexpr int W = native_width<float>;
      Pack<float, W> s[4]{};
      for (dim_t k = i * block; k < (i + 1) * block; k += 4 * W)
        for (int j = 0; j < 4; ++j) s[j] += load(data, Lanes<W>{k + j * W});
      sums[std::size_t(i)] = reduce_lanes(s[0] + s[1] + s[2] + s[3], [](auto a, auto b) { return a + b; });
    });
    rates.push_back(double(n / block * block) * sizeof(float) / seconds_since(start));
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

template <class Net, class B>
int decode(const Options& o) {
  using T = typename B::scalar;
  Model<Net, B> model(1);
  auto state = model.fresh_state();
  Owned<B, typename Net::template Cache<B>> cache({1, 1});
  Context<B> context;
  context.needs_backward = false;
  TokenBuffer<B> on_machine;
  GraphCache<B> step;
  std::vector<T> logits(std::size_t(vocabulary<Net>));
  std::int32_t id = 0;
  const T* y = nullptr;
  std::vector<double> rates;
  for (int i = 0; i < o.prompt + o.tokens; ++i) {
    const auto start = Clock::now();
    const auto ids = on_machine({&id, 1}, {1, 1});
    step({}, [&] { y = Net::forward(context, model.params, ids, cache.view(), state.view()).data; });
    B::download(logits.data(), y, vocabulary<Net>);
    id = std::int32_t(std::max_element(logits.begin(), logits.end()) - logits.begin());
    if (i >= o.prompt) rates.push_back(1 / seconds_since(start));
  }
  // The table of the embedding is not read: one row of it is.
  const double bytes = sizeof(T) * double(parameters<Net>() - parameters<Embedding<vocabulary<Net>, 768>>());
  const double bandwidth = read_bytes_per_second<B>(model.params.data(), model.params.size());
  const std::string summary = bench::summary(rates);
  std::sort(rates.begin(), rates.end());
  std::printf(
      "{\"command\": \"decode\", \"model\": \"rwkv4\", \"layers\": %s, \"width\": %s, \"batch\": 1, \"vocab\": %ld, "
      "\"parameters\": %ld, \"first_position\": %d, \"timed_tokens\": %d, \"tokens_per_second\": %s, "
      "\"peak_rss_mb\": %.1f, \"dtype\": \"%s\", \"threads\": %d, \"bytes_per_token\": %.0f, "
      "\"read_bytes_per_second\": %.3g, \"share_of_bandwidth\": %.3f, \"device\": \"%s\", \"processor\": \"%s\"}\n",
      o.size.substr(o.size.find('x') + 1).c_str(), o.size.substr(0, o.size.find('x')).c_str(), long(vocabulary<Net>),
      long(parameters<Net>()), o.prompt, o.tokens, summary.c_str(), bench::peak_rss_mb(), o.precision.c_str(),
      pool().threads(), bytes, bandwidth, rates[rates.size() / 2] * bytes / bandwidth,
      example::device_name(o.device).c_str(), bench::processor().c_str());
  return 0;
}

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Decodes one token at a time and prints tokens per second.", "decode_speed");
  app.option_defaults()->always_capture_default();
  app.add_option("--device", o.device, "cpu or gpu")->check(example::one_of({"cpu", "gpu"}));
  app.add_option("--precision", o.precision, "fp32, or bf16 for weights and activations")
      ->check(example::one_of({"fp32", "bf16"}));
  app.add_option("--model", o.model, "rwkv4")->check(example::one_of({"rwkv4"}));
  app.add_option("--size", o.size, "width x layers")->check(example::one_of({"768x12"}));
  app.add_option("--vocab", o.vocab, "256 or 50277, which makes the 169 M shape")->check(CLI::IsMember({256, 50277}));
  app.add_option("--prompt", o.prompt, "steps before timing starts")->check(CLI::NonNegativeNumber);
  app.add_option("--tokens", o.tokens, "timed steps")->check(CLI::PositiveNumber);
  app.add_option("--threads", o.threads, "0: as many as the machine has")->check(CLI::Range(0, 1024));
  return example::run(app, argc, argv, [&] {
    set_threads(o.threads);
    const auto on_machine = [&]<class B>() {
      return o.vocab == 256 ? decode<v4::Model<256, 768, 12>, B>(o) : decode<v4::Model<50277, 768, 12>, B>(o);
    };
    return o.precision == "bf16" ? example::on_device<bf16>(o.device, on_machine)
                                 : example::on_device(o.device, on_machine);
  });
}
