// Tokens per second of training, as one line of JSON. The configuration is the default one: AdamW, decay 0.1 on
// matrices, rate 6e-4 after a rise over 20 steps, gradient norm cut at 1, the family's beta2. Of several ranks, all
// train, and the peak of memory is the first one's.
#include <chrono>

#include <rwkv/distributed/threads_per_rank.hpp>
#include <rwkv/registry/device.hpp>
#include <rwkv/registry/find_net.hpp>
#include <rwkv/text/random_windows.hpp>

#include "../examples/ranks/ranks.hpp"
#include "summary.hpp"
using namespace rwkv;

struct Options {
  std::string device = "cpu", precision = "fp32", model = "rwkv4", size = "768x12", text;
  dim_t batch = 8, context = 256, text_bytes = 1000000;
  int threads = 0, steps = 13, warmup = 3;
  std::uint64_t seed = 1;
  bool sharded = false;
};

/// Bytes of no meaning: as good as a text where only time counts.
std::string random_text(dim_t n) {
  std::string text;
  for (dim_t i = 0; i < n; ++i) text += char('a' + Random{}.below(26, std::uint64_t(i)));
  return text;
}

int train(const Options& o, AnyCommunicator ranks) {
  using Clock = std::chrono::steady_clock;
  const Machine machine = Machine::named(o.device, o.precision);
  expect_device(machine);
  set_threads(o.threads == 0 && ranks.size() > 1 ? threads_per_rank(ranks) : o.threads);
  if (o.steps <= o.warmup) throw Error("--steps ", o.steps, ": expected more than the warm-up of ", o.warmup);
  std::string words =
      o.text.empty() ? random_text(o.text_bytes ? o.text_bytes : 1000000) : std::string(MappedFile(o.text).text());
  if (o.text_bytes > 0) words.resize(std::min(words.size(), std::size_t(o.text_bytes)));
  const Characters tokenizer(words);
  const Corpus text = Corpus::of_text(std::move(words), tokenizer);

  const RegisteredNet& net = find_net({o.model, o.size, tokenizer.size()});
  const NetShape shape = net.shape();
  const Seq seq{o.batch, o.context};
  const TrainConfig config{.optimizer = {.beta2 = net.family->beta2, .eps = net.family->eps}, .sharded = o.sharded};
  const auto model = net.make(net, machine, o.seed);
  const auto trainer = model->trainer(config, seq, ranks);
  const RandomWindows windows(text, seq, o.seed);
  Minibatch batch;
  std::vector<double> rates, losses;
  for (int step = 0; step < o.steps; ++step) {
    const auto start = Clock::now();
    windows.fill(step, batch);
    losses.push_back(trainer->step(batch));
    if (step >= o.warmup)
      rates.push_back(double(seq.tokens()) / std::chrono::duration<double>(Clock::now() - start).count());
  }
  const std::size_t tenth = std::max<std::size_t>(1, losses.size() / 10);
  double tail = 0;
  for (std::size_t i = losses.size() - tenth; i < losses.size(); ++i) tail += losses[i] / double(tenth);
  std::printf(
      "{\"command\": \"train\", \"model\": \"%s\", \"layers\": %ld, \"width\": %ld, \"batch\": %ld, \"context\": %ld, "
      "\"vocab\": %ld, \"symbols\": %ld, \"parameters\": %ld, \"steps\": %d, \"timed_steps\": %zu, "
      "\"tokens_per_second\": %s, \"first_loss\": %.4f, \"last_loss\": %.4f, \"mean_loss_of_last_tenth\": %.4f, "
      "\"peak_rss_mb\": %.1f, \"dtype\": \"%s\", \"seed\": %ld, \"optimizer\": \"AdamW\", \"betas\": [%g, %g], "
      "\"weight_decay\": %g, \"lr\": %g, \"lr_warmup\": %ld, \"clip\": %g, \"flops_per_token\": %ld, \"threads\": %d, "
      "\"ranks\": %d, "
      "\"device\": \"%s\", \"processor\": \"%s\"}\n",
      o.model.c_str(), long(shape.layers), long(shape.width), long(o.batch), long(o.context), long(net.vocabulary),
      long(tokenizer.size()), long(net.parameters), o.steps, rates.size(), bench::summary(rates).c_str(),
      losses.front(), losses.back(), tail, peak_memory() / 0x1p20, o.precision.c_str(), long(o.seed),
      config.optimizer.beta1, config.optimizer.beta2, config.optimizer.decay, config.schedule.learning_rate,
      long(config.schedule.warmup), config.clip, 3 * long(net.flops), pool().threads(), ranks.size(),
      device_name(machine).c_str(), processor_name().c_str());
  return 0;
}

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Trains on random windows of a text and prints tokens per second.", "train_speed");
  app.option_defaults()->always_capture_default();
  app.add_option("--device", o.device, "cpu or gpu")->check(example::one_of({"cpu", "gpu"}));
  app.add_option("--precision", o.precision, "fp32, or bf16 for weights and activations")
      ->check(example::one_of({"fp32", "bf16"}));
  app.add_option("--model", o.model, "rwkv4 to rwkv7, or gpt2");
  app.add_option("--size", o.size, "width x layers, as in 384x6");
  app.add_option("--text", o.text, "UTF-8 text; without it, random letters");
  app.add_option("--text-bytes", o.text_bytes, "bytes of the text to use, 0 for all")
      ->check(example::at_least(dim_t{0}));
  app.add_option("--batch", o.batch, "sequences per step")->check(example::between(1L, 1L << 20));
  app.add_option("--context", o.context, "tokens of a sequence")->check(example::between(1L, 1L << 30));
  app.add_option("--steps", o.steps, "training steps, warm-up included")->check(example::at_least(1));
  app.add_option("--warmup", o.warmup, "steps left out of the timing")->check(example::at_least(0));
  app.add_option("--seed", o.seed, "of weights and batches")->check(example::seed());
  app.add_option("--threads", o.threads, "0: as many as the machine has")->check(example::between(0, 1024));
  app.add_flag("--sharded", o.sharded, "of several ranks, each keeps a share of the optimizer's memory only");
  return example::run_ranks(app, argc, argv, [&](AnyCommunicator ranks) { return train(o, std::move(ranks)); });
}
