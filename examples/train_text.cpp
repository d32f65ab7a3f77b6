// The main job: train an RWKV-4, or the GPT-2 it is compared with, on a text, watch it learn, save it. `write` then
// lets it write.
#include <rwkv/io/summary.hpp>
#include <rwkv/rwkv.hpp>
#include <rwkv/training/fit.hpp>

#include "beta2.hpp"
#include "device.hpp"
#include "eigen_headers.hpp"
#include "options.hpp"
#include "sizes.hpp"
#include "train_options.hpp"
using namespace rwkv;
using example::Options;

Corpus open(const std::string& path, const Options& o) {
  if (path.empty()) {
    std::string text = example::eigen_headers();
    Tokenizer tokenizer = o.tokenizer == "bytes" ? Tokenizer(Bytes()) : Tokenizer(Characters(text));
    return Corpus::of_text(std::move(text), std::move(tokenizer));
  }
  return o.tokenizer == "bytes" ? Corpus(path, Bytes()) : Corpus::by_characters(path);
}

template <class Net, class B>
int train(const Options& o, const Corpus& text, const Corpus& valid) {
  const Seq seq{o.batch, o.context};
  if (o.summary) return std::fputs(summary<Net, B>(seq).c_str(), stdout) < 0;
  Model<Net, B> model(o.seed);
  const Schedule schedule{o.rate, o.final_rate, o.warmup, o.steps,
                          o.curve == "cosine"        ? Schedule::Curve::cosine
                          : o.curve == "exponential" ? Schedule::Curve::exponential
                                                     : Schedule::Curve::constant};
  Trainer trainer(model,
                  TrainConfig{schedule,
                              {.beta2 = example::beta2(o.model), .decay = o.decay},
                              o.clip,
                              o.accumulate,
                              o.l2wrap ? official_l2wrap : 0,
                              o.batches == "streams",
                              o.seed},
                  seq);
  RunConfig run{o.out, o.steps, o.valid_every, 32, o.save_every, o.resume, text.tokenizer().metadata(), ""};
  run.settings = (o.model == "rwkv4" ? "" : "--model " + o.model + " ") +
                 (o.precision == "fp32" ? "" : "--precision " + o.precision + " ") + "--size " + o.size + " --batch " +
                 std::to_string(o.batch) + " --context " + std::to_string(o.context) + " --seed " +
                 std::to_string(o.seed) + " --batches " + o.batches + " --accumulate " + std::to_string(o.accumulate) +
                 " and " + std::to_string(text.size()) + " tokens of text";
  const auto batches = [&](const Corpus& corpus, std::uint64_t seed) -> Batches {
    if (o.batches == "streams") return ContiguousBatches(corpus, seq);
    return RandomWindows(corpus, seq, seed);
  };
  const auto end = fit(trainer, batches(text, o.seed), batches(valid, o.seed + 1), run);
  if (end.first_step > 0) std::printf("resumed at step %ld\n", long(end.first_step));
  std::printf("%ld parameters, step %ld of %ld, %.0f s: loss %.4f", long(parameters<Net>()), long(end.last.step),
              long(o.steps), end.last.seconds, end.last.loss);
  if (!std::isnan(end.last.valid)) std::printf(", validation loss %.4f", end.last.valid);
  std::printf(" nats per token\n");
  if (end.interrupted)
    std::printf("interrupted and saved; the same command with --resume goes on\n");
  else
    std::printf("write with it: write --model %s --prompt \"...\"\n", run.model().c_str());
  return 0;
}

int main(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Trains a language model on a text; the folder --out holds log.csv, model.safetensors and what resuming needs.",
      "train_text");
  example::add_options(app, o);
  return example::run(app, argc, argv, [&] {
    set_threads(o.threads);
    const auto on_machine = [&]<class B>() {
      const Corpus whole = open(o.text, o);
      const auto parts = o.valid.empty() ? whole.split(0.9) : std::pair(whole, Corpus(o.valid, whole.tokenizer()));
      return example::with_model(o.model, o.size, whole.tokenizer().size(),
                                 [&]<class Net>() { return train<Net, B>(o, parts.first, parts.second); });
    };
    return o.precision == "bf16" ? example::on_device<bf16>(o.device, on_machine)
                                 : example::on_device(o.device, on_machine);
  });
}
