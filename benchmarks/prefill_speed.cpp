// Tokens per second of reading a prompt, as one line of JSON, beside the same prompt in stretches, in turn.
#include <chrono>
#include <ctime>

#include <rwkv/registry/device.hpp>
#include <rwkv/registry/find_net.hpp>

#include "../examples/options.hpp"
#include "summary.hpp"
using namespace rwkv;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string device = "cpu", precision = "fp32", model = "rwkv4", size = "768x12", weights = "own";
  dim_t vocab = 50277;
  int threads = 0, prompt = 512, stretch = 64, rounds = 5;
};

/// Tokens per second, by the clock and by what the processors worked.
struct Rate {
  double by_clock, by_work;
};

/// Of a prompt that is read so many tokens at a time.
Rate rate(AnyDecoder& decoder, std::span<const std::int32_t> ids, std::size_t stretch) {
  decoder.reset();
  const auto start = Clock::now();
  const auto work = std::clock();
  for (std::size_t at = 0; at < ids.size(); at += stretch)
    decoder.prefill(ids.subspan(at, std::min(stretch, ids.size() - at)));
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return {double(ids.size()) / seconds, double(ids.size()) * CLOCKS_PER_SEC / double(std::clock() - work)};
}

int prefill(const Options& o) {
  const Machine machine = Machine::named(o.device, o.precision);
  expect_device(machine);
  set_threads(o.threads);
  const RegisteredNet& net = find_net({o.model, o.size, o.vocab});
  const NetShape shape = net.shape();
  const auto model = net.make(net, machine, {1, net.storages(machine, Weights::named(o.weights))});
  const auto decoder = model->decoder();
  std::vector<std::int32_t> ids(std::size_t(o.prompt));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = std::int32_t(Random{1}.below(std::uint64_t(net.vocabulary), i));
  std::vector<double> at_once, in_stretches, ratios, of_work, work;
  for (int round = 0; round <= o.rounds; ++round) {
    const Rate whole = rate(*decoder, ids, ids.size()), parts = rate(*decoder, ids, std::size_t(o.stretch));
    if (round == 0) continue;  // memory is taken
    at_once.push_back(whole.by_clock), in_stretches.push_back(parts.by_clock);
    ratios.push_back(whole.by_clock / parts.by_clock), of_work.push_back(whole.by_work / parts.by_work);
    work.push_back(whole.by_work);
  }
  std::printf(
      "{\"command\": \"prefill\", \"model\": \"%s\", \"layers\": %ld, \"width\": %ld, \"batch\": 1, \"vocab\": %ld, "
      "\"parameters\": %ld, \"prompt\": %d, \"tokens_per_second\": %s, \"stretch\": %d, "
      "\"tokens_per_second_in_stretches\": %s, \"ratio\": %s, \"ratio_of_work\": %s, "
      "\"tokens_per_processor_second\": %s, \"peak_rss_mb\": %.1f, \"dtype\": \"%s\", \"weights\": \"%s\", "
      "\"threads\": %d, \"device\": \"%s\", \"processor\": \"%s\"}\n",
      o.model.c_str(), long(shape.layers), long(shape.width), long(net.vocabulary), long(net.parameters), o.prompt,
      bench::summary(at_once).c_str(), o.stretch, bench::summary(in_stretches).c_str(), bench::summary(ratios).c_str(),
      bench::summary(of_work).c_str(), bench::summary(work).c_str(), peak_memory() / 0x1p20, o.precision.c_str(),
      o.weights.c_str(), pool().threads(), device_name(machine).c_str(), processor_name().c_str());
  return 0;
}

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Reads a prompt, at once and in stretches, and prints tokens per second.", "prefill_speed");
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
  app.add_option("--prompt", o.prompt, "its tokens")->check(example::between(1, 1 << 29));
  app.add_option("--stretch", o.stretch, "tokens that are read at a time, to compare")
      ->check(example::between(1, 1 << 29));
  app.add_option("--rounds", o.rounds, "that are timed")->check(example::between(1, 1000));
  app.add_option("--threads", o.threads, "0: as many as the machine has")->check(example::between(0, 1024));
  return example::run(app, argc, argv, [&] { return prefill(o); });
}
