// The main job: train an RWKV-4 on a text, watch it learn, save it. `write` then lets it write.
#include <rwkv/io/summary.hpp>
#include <rwkv/rwkv.hpp>
#include <rwkv/training/fit.hpp>

#include "eigen_headers.hpp"
#include "options.hpp"
#include "sizes.hpp"
using namespace rwkv;

struct Options {
  std::string text, valid, out = "run", size = "128x4", tokenizer = "characters", curve = "constant",
                           batches = "windows";
  dim_t steps = 1000, batch = 8, context = 128, valid_every = 100, save_every = 250, warmup = 20;
  int accumulate = 1, threads = 0;
  double rate = 6e-4, final_rate = 1e-5, decay = 0.1, clip = 1;
  std::uint64_t seed = 1;
  bool resume = false, pull = false, summary = false;
};

Corpus open(const std::string& path, const Options& o) {
  if (path.empty()) {
    std::string text = example::eigen_headers();
    Tokenizer tokenizer = o.tokenizer == "bytes" ? Tokenizer(Bytes()) : Tokenizer(Characters(text));
    return Corpus::of_text(std::move(text), std::move(tokenizer));
  }
  return o.tokenizer == "bytes" ? Corpus(path, Bytes()) : Corpus::by_characters(path);
}

template <class Net>
int train(const Options& o, const Corpus& text, const Corpus& valid) {
  const Seq seq{o.batch, o.context};
  if (o.summary) return std::fputs(summary<Net>(seq).c_str(), stdout) < 0;
  Model<Net> model(o.seed);
  const Schedule schedule{o.rate, o.final_rate, o.warmup, o.steps,
                          o.curve == "cosine"        ? Schedule::Curve::cosine
                          : o.curve == "exponential" ? Schedule::Curve::exponential
                                                     : Schedule::Curve::constant};
  Trainer trainer(
      model, Recipe{schedule, {.decay = o.decay}, o.clip, o.accumulate, o.pull ? l2wrap : 0, o.batches == "streams"},
      seq);
  Run run{o.out, o.steps, o.valid_every, 32, o.save_every, o.resume, text.tokenizer().metadata(), ""};
  run.settings = "--size " + o.size + " --batch " + std::to_string(o.batch) + " --context " +
                 std::to_string(o.context) + " --seed " + std::to_string(o.seed) + " --batches " + o.batches +
                 " --accumulate " + std::to_string(o.accumulate) + " and " + std::to_string(text.size()) +
                 " tokens of text";
  const auto batches = [&](const Corpus& corpus, std::uint64_t seed) -> Batches {
    if (o.batches == "streams") return Streams(corpus, seq);
    return Windows(corpus, seq, seed);
  };
  const auto end = fit(trainer, model, batches(text, o.seed), std::optional(batches(valid, o.seed + 1)), run);
  if (end.first_step > 0) std::printf("resumed at step %ld\n", long(end.first_step));
  std::printf("%ld parameters, step %ld of %ld: loss %.4f, validation loss %.4f nats per token, %.0f s\n",
              long(parameters<Net>()), long(end.last.step), long(o.steps), end.last.loss, end.last.valid,
              end.last.seconds);
  if (end.interrupted)
    std::printf("interrupted and saved; the same command with --resume goes on\n");
  else
    std::printf("write with it: write --model %s --prompt \"...\"\n", run.model().c_str());
  return 0;
}

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Trains an RWKV-4 on a text; the folder --out holds log.csv, model.safetensors and what resuming needs.",
               "train_text");
  app.option_defaults()->always_capture_default();
  app.add_option("--text", o.text, "UTF-8 text to learn; without it, the headers of the installed Eigen");
  app.add_option("--valid", o.valid, "text to validate on; without it, the last tenth of --text");
  app.add_option("--out", o.out, "folder of the run");
  app.add_option("--size", o.size, std::string("width x layers: ") + example::sizes);
  app.add_option("--tokenizer", o.tokenizer, "characters or bytes")->check(CLI::IsMember({"characters", "bytes"}));
  app.add_option("--steps", o.steps, "updates in all")->check(CLI::Range(1L, 1L << 40));
  app.add_option("--batch", o.batch, "sequences per step")->check(CLI::Range(1L, 1L << 20));
  app.add_option("--context", o.context, "tokens of a sequence")->check(CLI::Range(1L, 1L << 30));
  app.add_option("--accumulate", o.accumulate, "batches per update")->check(CLI::Range(1, 1 << 20));
  app.add_option("--batches", o.batches, "windows: random places; streams: in order, the state carried on")
      ->check(CLI::IsMember({"windows", "streams"}));
  app.add_option("--rate", o.rate, "learning rate after the warm-up")->check(CLI::PositiveNumber);
  app.add_option("--curve", o.curve, "of the rate: constant, cosine or exponential")
      ->check(CLI::IsMember({"constant", "cosine", "exponential"}));
  app.add_option("--final-rate", o.final_rate, "where the curve ends")->check(CLI::NonNegativeNumber);
  app.add_option("--warmup", o.warmup, "steps of the linear rise")->check(CLI::NonNegativeNumber);
  app.add_option("--decay", o.decay, "weight decay of matrices")->check(CLI::NonNegativeNumber);
  app.add_option("--clip", o.clip, "largest gradient norm, 0: none")->check(CLI::NonNegativeNumber);
  app.add_option("--valid-every", o.valid_every, "steps between validations, 0: none")->check(CLI::NonNegativeNumber);
  app.add_option("--save-every", o.save_every, "steps between checkpoints")->check(CLI::NonNegativeNumber);
  app.add_option("--seed", o.seed, "of weights and batches");
  app.add_option("--threads", o.threads, "0: as many as the machine has")->check(CLI::Range(0, 1024));
  app.add_flag("--l2wrap", o.pull, "pull on large logits, as the official trainer does");
  app.add_flag("--summary", o.summary, "print the model's table and stop");
  app.add_flag("--resume", o.resume, "go on from the folder's checkpoint; afresh where there is none");
  return example::run(app, argc, argv, [&] {
    set_threads(o.threads);
    const Corpus whole = open(o.text, o);
    const auto [text, rest] = o.valid.empty() ? whole.split(0.9) : std::pair(whole, Corpus(o.valid, whole.tokenizer()));
    return example::with_model(o.size, whole.tokenizer().size(),
                               [&]<class Net>() { return train<Net>(o, text, rest); });
  });
}
