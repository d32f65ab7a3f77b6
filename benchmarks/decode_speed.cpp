// Tokens per second of decoding one token at a time, as one line of JSON, with the share of what reading the weights
// once per token at the measured read bandwidth allows.
#include <sys/resource.h>

#include <chrono>

#include <rwkv/ops/norm.hpp>
#include <rwkv/registry/device.hpp>
#include <rwkv/registry/find_net.hpp>

#include "../examples/options.hpp"
#include "summary.hpp"
#include "weights_read.hpp"
using namespace rwkv;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Of all threads: what others on the machine take is not in it.
double user_seconds() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  return double(used.ru_utime.tv_sec) + 1e-6 * double(used.ru_utime.tv_usec);
}

struct Options {
  std::string device = "cpu", precision = "fp32", model = "rwkv4", size = "768x12", weights = "own";
  dim_t vocab = 50277;
  int threads = 0, prompt = 32, tokens = 128;
};

/// The norm of n floats: as fast as machine B reads memory.
template <class B>
double read_bytes_per_second(dim_t n) {
  std::vector<double> rates;
  const detail::Buffer<B> numbers(B::allocate(n));
  B::fill(numbers.get(), n, 1);
  Scratch<B> scratch;
  for (int round = 0; round < 9; ++round) {
    const auto start = Clock::now();
    sum_of_squares<B>(scratch, n, numbers.get());
    rates.push_back(double(n) * sizeof(float) / seconds_since(start));
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

int decode(const Options& o) {
  const Machine machine = Machine::named(o.device, o.precision);
  expect_device(machine);
  set_threads(o.threads);
  const RegisteredNet& net = find_net({o.model, o.size, o.vocab});
  const NetShape shape = net.shape();
  const auto model = net.make(net, machine, {1, net.storages(machine, Weights::named(o.weights))});
  const auto decoder = model->decoder();
  std::int32_t id = 0;
  std::vector<double> rates;
  double user = 0;
  for (int i = 0; i < o.prompt + o.tokens; ++i) {
    const double user_before = user_seconds();
    const auto start = Clock::now();
    const auto logits = decoder->feed({&id, 1});
    id = std::int32_t(std::max_element(logits.begin(), logits.end()) - logits.begin());
    if (i < o.prompt) continue;
    rates.push_back(1 / seconds_since(start));
    user += user_seconds() - user_before;
  }
  const auto parameters = model->parameters();
  const double bytes = bench::weights_read(parameters.leaves);
  const dim_t floats = model->bytes() / dim_t(sizeof(float));
  const bool gpu = machine.device == Machine::Device::gpu;
  const double bandwidth =
      gpu ? read_bytes_per_second<detail::GpuIfBuilt<float>>(floats) : read_bytes_per_second<Cpu<float>>(floats);
  const std::string summary = bench::summary(rates);
  std::sort(rates.begin(), rates.end());
  std::printf(
      "{\"command\": \"decode\", \"model\": \"%s\", \"layers\": %ld, \"width\": %ld, \"batch\": 1, \"vocab\": %ld, "
      "\"parameters\": %ld, \"first_position\": %d, \"timed_tokens\": %d, \"tokens_per_second\": %s, "
      "\"peak_rss_mb\": %.1f, \"dtype\": \"%s\", \"weights\": \"%s\", \"user_seconds_per_token\": %.4g, \"threads\": "
      "%d, \"bytes_per_token\": %.0f, "
      "\"read_bytes_per_second\": %.3g, \"share_of_bandwidth\": %.3f, \"device\": \"%s\", \"processor\": \"%s\"}\n",
      o.model.c_str(), long(shape.layers), long(shape.width), long(net.vocabulary), long(net.parameters), o.prompt,
      o.tokens, summary.c_str(), peak_memory() / 0x1p20, o.precision.c_str(), o.weights.c_str(), user / o.tokens,
      pool().threads(), bytes, bandwidth, rates[rates.size() / 2] * bytes / bandwidth, device_name(machine).c_str(),
      processor_name().c_str());
  return 0;
}

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Decodes one token at a time and prints tokens per second.", "decode_speed");
  app.option_defaults()->always_capture_default();
  app.add_option("--device", o.device, "cpu or gpu")->check(example::one_of({"cpu", "gpu"}));
  app.add_option("--precision", o.precision, "fp32, or bf16 for weights and activations")
      ->check(example::one_of({"fp32", "bf16"}));
  app.add_option("--weights", o.weights, "how matrices are kept: own, as --precision says, or as these, rounded")
      ->check(example::one_of(Weights::names));
  app.add_option("--model", o.model, "rwkv4 to rwkv7, or gpt2");
  app.add_option("--size", o.size, "width x layers, as in 768x12");
  app.add_option("--vocab", o.vocab, "tokens that it must know; 50277 makes the 169 M shape")
      ->check(example::at_least(dim_t{1}));
  app.add_option("--prompt", o.prompt, "steps before timing starts")->check(example::between(0, 1 << 29));
  app.add_option("--tokens", o.tokens, "timed steps")->check(example::between(1, 1 << 29));
  app.add_option("--threads", o.threads, "0: as many as the machine has")->check(example::between(0, 1024));
  return example::run(app, argc, argv, [&] { return decode(o); });
}
