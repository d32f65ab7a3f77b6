// Tokens per second of training, as one line of JSON. The recipe is the default one: AdamW, decay 0.1 on matrices, rate
// 6e-4 after a rise over 20 steps, gradient norm cut at 1; GPT-2 with beta2 0.95 and heads of 64.
#include <chrono>

#include <rwkv/models/gpt2.hpp>
#include <rwkv/rwkv.hpp>

#include "../examples/beta2.hpp"
#include "../examples/device.hpp"
#include "../examples/eigen_headers.hpp"
#include "../examples/options.hpp"
#include "machine.hpp"
using namespace rwkv;

struct Options {
  std::string device = "cpu", precision = "fp32", model = "rwkv4", size = "768x12", text;
  dim_t batch = 8, context = 256, text_bytes = 1000000;
  int threads = 0, steps = 13, warmup = 3;
  std::uint64_t seed = 1;
};

template <class Net, class B>
int train(const Options& o, const Corpus& text) {
  using Clock = std::chrono::steady_clock;
  const Seq seq{o.batch, o.context};
  Model<Net, B> model(o.seed);
  Trainer trainer(model, TrainConfig{.optimizer = {.beta2 = example::beta2(o.model)}}, seq);
  const RandomWindows windows(text, seq, o.seed);
  Minibatch batch;
  std::vector<double> rates, losses;
  for (int step = 0; step < o.steps; ++step) {
    const auto start = Clock::now();
    windows.fill(step, batch);
    losses.push_back(trainer.step(batch));
    if (step >= o.warmup)
      rates.push_back(double(seq.tokens()) / std::chrono::duration<double>(Clock::now() - start).count());
  }
  const std::size_t tenth = std::max<std::size_t>(1, losses.size() / 10);
  double tail = 0;
  for (std::size_t i = losses.size() - tenth; i < losses.size(); ++i) tail += losses[i] / double(tenth);
  const Schedule& rate = trainer.config().schedule;
  const AdamW& adamw = trainer.config().optimizer;
  std::printf(
      "{\"command\": \"train\", \"model\": \"%s\", \"layers\": %s, \"width\": %s, \"batch\": %ld, \"context\": %ld, "
      "\"vocab\": %ld, "
      "\"symbols\": %ld, \"parameters\": %ld, \"steps\": %d, \"timed_steps\": %zu, \"tokens_per_second\": %s, "
      "\"first_loss\": %.4f, \"last_loss\": %.4f, \"mean_loss_of_last_tenth\": %.4f, \"peak_rss_mb\": %.1f, "
      "\"dtype\": \"%s\", \"seed\": %ld, \"optimizer\": \"AdamW\", \"betas\": [%g, %g], \"weight_decay\": %g, "
      "\"lr\": %g, "
      "\"lr_warmup\": %ld, \"clip\": %g, \"flops_per_token\": %ld, \"threads\": %d, \"device\": \"%s\", \"processor\": "
      "\"%s\"}\n",
      o.model.c_str(), o.size.substr(o.size.find('x') + 1).c_str(), o.size.substr(0, o.size.find('x')).c_str(),
      long(o.batch), long(o.context), long(vocabulary<Net>), long(text.tokenizer().size()), long(parameters<Net>()),
      o.steps, rates.size(), bench::summary(rates).c_str(), losses.front(), losses.back(), tail, bench::peak_rss_mb(),
      o.precision.c_str(), long(o.seed), adamw.beta1, adamw.beta2, adamw.decay, rate.rate, long(rate.warmup),
      trainer.config().clip, 3 * long(flops_per_token<Net>()), pool().threads(), example::device_name(o.device).c_str(),
      bench::processor().c_str());
  return 0;
}

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Trains on random windows of a text and prints tokens per second.", "train_speed");
  app.option_defaults()->always_capture_default();
  app.add_option("--device", o.device, "cpu or gpu")->check(example::one_of({"cpu", "gpu"}));
  app.add_option("--precision", o.precision, "fp32, or bf16 for weights and activations")
      ->check(example::one_of({"fp32", "bf16"}));
  app.add_option("--model", o.model, "rwkv4 or gpt2")->check(example::one_of({"rwkv4", "gpt2"}));
  app.add_option("--size", o.size, "width x layers: 128x4, 384x6 or 768x12")
      ->check(example::one_of({"128x4", "384x6", "768x12"}));
  app.add_option("--text", o.text,
                 "UTF-8 text of at most 96 different characters; without it, the headers of the installed Eigen");
  app.add_option("--text-bytes", o.text_bytes, "bytes of the text to use, 0 for all")->check(CLI::NonNegativeNumber);
  app.add_option("--batch", o.batch, "sequences per step")->check(CLI::PositiveNumber);
  app.add_option("--context", o.context, "tokens of a sequence")->check(CLI::PositiveNumber);
  app.add_option("--steps", o.steps, "training steps, warm-up included")->check(CLI::PositiveNumber);
  app.add_option("--warmup", o.warmup, "steps left out of the timing")->check(CLI::NonNegativeNumber);
  app.add_option("--seed", o.seed, "of weights and batches");
  app.add_option("--threads", o.threads, "0: as many as the machine has")->check(CLI::Range(0, 1024));
  return example::run(app, argc, argv, [&] {
    set_threads(o.threads);
    std::string text(o.text.empty() ? example::eigen_headers() : std::string(MappedFile(o.text).text()));
    if (o.text_bytes > 0) text.resize(std::min(text.size(), std::size_t(o.text_bytes)));
    const Tokenizer tokenizer = o.text.empty() ? Tokenizer(Bytes()) : Tokenizer(Characters(text));
    const Corpus corpus = Corpus::of_text(std::move(text), tokenizer);
    if (o.steps <= o.warmup)
      throw Error("--steps " + std::to_string(o.steps) + ": expected more than the warm-up of " +
                  std::to_string(o.warmup));
    const auto with = [&]<class B, dim_t Width, int Layers>() {
      const auto with_vocabulary = [&]<dim_t Vocab>() {
        constexpr dim_t most = Width == 128 ? 128 : 256;  // positions of a GPT-2, as the contexts of compare.py
        if (o.model == "gpt2") return train<gpt2::Model<Vocab, Width, Layers, Width / 64, most>, B>(o, corpus);
        return train<v4::Model<Vocab, Width, Layers>, B>(o, corpus);
      };
      return tokenizer.size() <= 96 ? with_vocabulary.template operator()<96>()
                                    : with_vocabulary.template operator()<256>();
    };
    const auto on_machine = [&]<class B>() {
      if (o.size == "128x4") return with.template operator()<B, 128, 4>();
      if (o.size == "384x6") return with.template operator()<B, 384, 6>();
      return with.template operator()<B, 768, 12>();
    };
    return o.precision == "bf16" ? example::on_device<bf16>(o.device, on_machine)
                                 : example::on_device(o.device, on_machine);
  });
}
