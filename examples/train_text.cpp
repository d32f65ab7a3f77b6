// The main job: train a language model on a text, watch it learn, save it. `write` then lets it write.
#include <rwkv/registry/device.hpp>
#include <rwkv/registry/find_net.hpp>
#include <rwkv/training/fit.hpp>

#include "eigen_headers.hpp"
#include "train_options.hpp"
using namespace rwkv;
using example::Options;

Corpus open_text(const Options& o) {
  if (o.text.empty()) {
    std::string text = example::eigen_headers();
    Tokenizer tokenizer = o.tokenizer == "bytes" ? Tokenizer(Bytes()) : Tokenizer(Characters(text));
    return Corpus::of_text(std::move(text), std::move(tokenizer));
  }
  return o.tokenizer == "bytes" ? Corpus(o.text, Bytes()) : Corpus::by_characters(o.text);
}

TrainConfig train_config(const Options& o, const RegisteredNet& net) {
  const Schedule schedule{o.rate, o.final_rate, o.warmup, o.steps,
                          o.curve == "cosine"        ? Schedule::Curve::cosine
                          : o.curve == "exponential" ? Schedule::Curve::exponential
                                                     : Schedule::Curve::constant};
  return {schedule,
          {.beta2 = net.family->beta2, .eps = net.family->eps, .decay = o.decay},
          o.clip,
          o.accumulate,
          o.l2wrap ? official_l2wrap : 0,
          o.batches == "contiguous",
          o.seed};
}

/// What must be the same for a resumed run to go on bit for bit.
std::string settings(const Options& o, dim_t tokens) {
  return "--model " + o.model + " --precision " + o.precision + " --size " + o.size + " --batch " +
         std::to_string(o.batch) + " --context " + std::to_string(o.context) + " --seed " + std::to_string(o.seed) +
         " --batches " + o.batches + " --accumulate " + std::to_string(o.accumulate) + " and " +
         std::to_string(tokens) + " tokens of text";
}

int train(const Options& o) {
  const Machine machine = Machine::named(o.device, o.precision);
  expect_device(machine);
  set_threads(o.threads);
  const Corpus whole = open_text(o);
  const auto [text, valid] = o.valid.empty() ? whole.split(0.9) : std::pair(whole, Corpus(o.valid, whole.tokenizer()));
  const RegisteredNet& net = find_net({o.model, o.size, whole.tokenizer().size()});
  if (net.context > 0 && o.context > net.context)
    throw Error("--context ", o.context, ": expected at most ", net.context, ", for which ", net.type,
                " has positions");
  const Seq seq{o.batch, o.context};
  if (o.summary) return std::fputs(net.summary(machine, seq).c_str(), stdout) < 0;

  const auto model = net.make(net, machine, o.seed);
  const auto trainer = model->trainer(train_config(o, net), seq);
  const auto batches = [&](const Corpus& corpus, std::uint64_t seed) -> Batches {
    if (o.batches == "contiguous") return ContiguousBatches(corpus, seq);
    return RandomWindows(corpus, seq, seed);
  };
  Metadata metadata = net.metadata();
  metadata.merge(text.tokenizer().metadata());
  const RunConfig run{o.out, o.steps, o.valid_every, 32, o.save_every, o.resume, metadata, settings(o, text.size())};
  const auto end = fit(*trainer, batches(text, o.seed), batches(valid, o.seed + 1), run);
  if (end.first_step > 0) std::printf("resumed at step %ld\n", long(end.first_step));
  std::printf("%ld parameters, step %ld of %ld, %.0f s: loss %.4f", long(net.parameters), long(end.last.step),
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
  return example::run(app, argc, argv, [&] { return train(o); });
}
