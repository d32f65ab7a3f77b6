// Tokens per second of decoding one token at a time, as one line of JSON, with the share of what reading the weights
// once per token at the measured read bandwidth allows.
#include <chrono>

#include <rwkv/rwkv.hpp>

#include "../examples/options.hpp"
#include "machine.hpp"
using namespace rwkv;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Sums of all numbers, by every thread: as fast as this machine reads memory.
double read_bytes_per_second(const float* data, dim_t n) {
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
      sums[std::size_t(i)] = fold_lanes(s[0] + s[1] + s[2] + s[3], [](auto a, auto b) { return a + b; });
    });
    rates.push_back(double(n / block * block) * sizeof(float) / seconds_since(start));
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

template <class Net>
int decode(const std::string& size, int prompt, int tokens) {
  Model<Net> model(1);
  auto state = model.fresh_state();
  Owned<Cpu<float>, typename Net::template Cache<Cpu<float>>> cache({1, 1});
  Context<Cpu<float>> context;
  std::int32_t id = 0;
  std::vector<double> rates;
  for (int i = 0; i < prompt + tokens; ++i) {
    const auto start = Clock::now();
    const auto y = Net::forward(context, model.params, TokenIds{&id, {1, 1}}, cache.view(), state.view());
    id = std::int32_t(std::max_element(y.data, y.data + vocabulary<Net>) - y.data);
    if (i >= prompt) rates.push_back(1 / seconds_since(start));
  }
  // The table of the embedding is not read: one row of it is.
  const double bytes = 4.0 * double(parameters<Net>() - parameters<Embedding<vocabulary<Net>, 768>>());
  const double bandwidth = read_bytes_per_second(model.params.data(), model.params.size());
  const std::string summary = bench::summary(rates);
  std::sort(rates.begin(), rates.end());
  std::printf(
      "{\"command\": \"decode\", \"model\": \"rwkv4\", \"layers\": %s, \"width\": %s, \"batch\": 1, \"vocab\": %ld, "
      "\"parameters\": %ld, "
      "\"first_position\": %d, \"timed_tokens\": %d, \"tokens_per_second\": %s, \"peak_rss_mb\": %.1f, \"dtype\": "
      "\"fp32\", "
      "\"threads\": %d, \"bytes_per_token\": %.0f, \"read_bytes_per_second\": %.3g, \"share_of_bandwidth\": %.3f, "
      "\"processor\": \"%s\"}\n",
      size.substr(size.find('x') + 1).c_str(), size.substr(0, size.find('x')).c_str(), long(vocabulary<Net>),
      long(parameters<Net>()), prompt, tokens, summary.c_str(), bench::peak_rss_mb(), pool().threads(), bytes,
      bandwidth, rates[rates.size() / 2] * bytes / bandwidth, bench::processor().c_str());
  return 0;
}

int main(int argc, char** argv) {
  std::string model = "rwkv4", size = "768x12";
  dim_t vocab = 50277;
  int threads = 0, prompt = 32, tokens = 128;
  CLI::App app("Decodes one token at a time and prints tokens per second.", "decode_speed");
  app.option_defaults()->always_capture_default();
  app.add_option("--model", model, "rwkv4")->check(CLI::IsMember({"rwkv4"}));
  app.add_option("--size", size, "width x layers")->check(CLI::IsMember({"768x12"}));
  app.add_option("--vocab", vocab, "256 or 50277, which makes the 169 M shape")->check(CLI::IsMember({256, 50277}));
  app.add_option("--prompt", prompt, "steps before timing starts")->check(CLI::NonNegativeNumber);
  app.add_option("--tokens", tokens, "timed steps")->check(CLI::PositiveNumber);
  app.add_option("--threads", threads, "0: as many as the machine has")->check(CLI::Range(0, 1024));
  return example::run(app, argc, argv, [&] {
    set_threads(threads);
    if (vocab == 256) return decode<v4::Model<256, 768, 12>>(size, prompt, tokens);
    return decode<v4::Model<50277, 768, 12>>(size, prompt, tokens);
  });
}
