// The main job: train a language model on a text, watch it learn, save it. `write` then lets it write.
#include <csignal>
#include <filesystem>

#include <rwkv/distributed/threads_per_rank.hpp>
#include <rwkv/text/open_corpus.hpp>
#include <rwkv/training/fit.hpp>
#include <rwkv/training/start_settings.hpp>

#include "eigen_headers.hpp"
#include "ranks/ranks.hpp"
#include "train_options.hpp"
using namespace rwkv;
using example::Options;

/// The tokenizer that the options name, or that of the model to start from; nothing for the characters of the text.
std::optional<Tokenizer> tokenizer_of(const Options& o, const TensorSource* start) {
  const bool own = o.tokenizer == "characters" || o.tokenizer == "bytes";
  if (start != nullptr && own)
    throw Error("--tokenizer: expected that of the model to start from, found ", o.tokenizer,
                "; leave it out, or name its file");
  if (start != nullptr) return tokenizer_for(start->metadata(), o.init, o.tokenizer);
  if (o.tokenizer == "bytes") return Bytes();
  if (o.tokenizer.empty() || own) return {};
  return open_tokenizer(o.tokenizer);
}

Corpus open_text(const Options& o, const std::optional<Tokenizer>& tokenizer) {
  if (!o.text.empty()) return tokenizer ? open_corpus(o.text, *tokenizer) : Corpus::by_characters(o.text);
  std::string text = example::eigen_headers();
  Tokenizer used = tokenizer ? *tokenizer : Tokenizer(Characters(text));
  return Corpus::of_text(std::move(text), std::move(used));
}

/// How many tokens a net must know: of World's as many as released models have.
dim_t vocabulary_for(const Tokenizer& tokenizer) {
  return tokenizer.as<World>() != nullptr ? std::max<dim_t>(tokenizer.size(), 65536) : tokenizer.size();
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
          o.seed,
          o.sharded,
          o.gradients == "bf16"};
}

/// The program's status, which is a signal's where one ended the run.
int status_of(const Outcome& end) {
  return end.interrupted ? 128 + (end.signal != 0 ? end.signal : SIGINT) : 0;
}

/// Says how the run ended.
int report(const Outcome& end, const RegisteredNet& net, const RunConfig& run) {
  if (end.first_step > 0 && !end.finished) std::printf("resumed at step %ld\n", long(end.first_step));
  std::printf("%ld parameters, step %ld of %ld", long(net.parameters), long(end.last.step), long(run.steps));
  if (!end.finished) std::printf(", %.0f s", end.last.seconds);
  if (!std::isnan(end.last.loss)) std::printf(": loss %.4f", end.last.loss);
  if (!std::isnan(end.last.valid)) std::printf(", validation loss %.4f", end.last.valid);
  std::printf(" nats per token\n");
  if (end.interrupted) {
    std::printf("interrupted and saved; the same command with --resume goes on\n");
    return status_of(end);
  }
  if (end.finished)
    std::printf("the run had finished, and nothing was changed; where it has no --curve, more --steps go on\n");
  if (!std::filesystem::exists(run.model())) throw Error(run.model(), ": is missing; start afresh to make it again");
  std::printf("write with it: write --model %s --prompt \"...\"\n", shown(run.model(), 1000).c_str());
  return 0;
}

/// What the program was built from: ranks of other builds may round otherwise, or not understand each other.
std::string build() {
  const auto& built = NetCompiler::of_program();
  std::string words = built ? built->digest : "unknown";
  if (built)
    for (const std::string& flag : built->flags) words += " " + flag;
  return words;
}

/// Where the options say so, rank 0 compiles the net, before the others look for it.
const RegisteredNet& net_of(AnyCommunicator& ranks, const std::function<const RegisteredNet&()>& find) {
  const RegisteredNet* net = nullptr;
  for (const bool first : {true, false})
    together(ranks, [&] {
      if (net == nullptr && (ranks.rank() == 0 || !first)) net = &find();
    });
  return *net;
}

int train(const Options& o, AnyCommunicator ranks) {
  expect_equal(ranks, "the program's build", build());
  expect_equal(ranks, "--summary", o.summary ? "yes" : "no");
  const Share rows = rows_of(o.batch, ranks.rank(), ranks.size(), "--batch");
  const bool first = ranks.rank() == 0;
  RunConfig run{.folder = o.out,
                .steps = o.steps,
                .valid_every = o.valid_every,
                .valid_batches = 32,
                .save_every = o.save_every,
                .resume = o.resume,
                .words = example::words};
  expect_not_written(run, "--text", o.text);
  expect_not_written(run, "--valid", o.valid);
  expect_not_written(run, "--init", o.init);
  const Machine machine = o.machine();
  const int share = threads_per_rank(ranks);  // also of ranks that were told how many
  if (o.threads == 0 && ranks.size() > 1) set_threads(share);
  const auto file = together(ranks, [&] { return o.init.empty() ? nullptr : open_source(o.init); });
  const auto start = file == nullptr ? nullptr : std::make_unique<OfficialSource>(*file);
  const Corpus whole = together(ranks, [&] { return open_text(o, tokenizer_of(o, start.get())); });
  const Tokenizer& tokenizer = whole.tokenizer();
  const auto [text, valid] = together(
      ranks, [&] { return o.valid.empty() ? whole.split(0.9) : std::pair(whole, open_corpus(o.valid, tokenizer)); });
  const RegisteredNet& net = net_of(ranks, [&]() -> const RegisteredNet& {
    return o.with_nets(machine, [&]() -> const RegisteredNet& {
      return start ? net_in(*file) : find_net({o.model, o.size, vocabulary_for(tokenizer), o.context});
    });
  });
  if (start && first) example::expect_fits(tokenizer, o.init, net.vocabulary, start->metadata());
  if (net.context > 0 && o.context > net.context)
    throw Error("--context ", o.context, ": expected at most ", net.context, ", for which ", net.type,
                " has positions");
  const Seq seq{o.batch, o.context};
  if (o.summary) return std::fputs(net.summary(machine, {rows.size, o.context}).c_str(), stdout) < 0;

  const auto model = together(ranks, [&] { return net.make(net, machine, o.seed); });
  together(ranks, [&] {
    if (start) model->load(*file), run.settings = start_settings(*start);
  });
  const auto trainer = together(ranks, [&] { return model->trainer(train_config(o, net), seq, ranks); });
  const auto batches = [&](const Corpus& corpus, std::uint64_t seed) -> Batches {
    if (o.batches == "contiguous") return ContiguousBatches(corpus, seq);
    return RandomWindows(corpus, seq, seed);
  };
  run.metadata = net.metadata();
  run.metadata.merge(tokenizer.metadata());
  together(ranks, [&] {
    if (!first || tokenizer.file_name().empty() || (run.resume && std::filesystem::exists(run.checkpoint()))) return;
    std::error_code failed;  // is told by what is saved there
    std::filesystem::create_directories(run.folder, failed);
    save_tokenizer(tokenizer, run.model());
  });
  std::signal(SIGPIPE, SIG_IGN);  // then a lost output is an error at the end, when all is saved
  const Outcome end = fit(*trainer, batches(text, o.seed), batches(valid, o.seed + 1), run);
  return first ? report(end, net, run) : status_of(end);
}

int main(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Trains a language model on a text; the folder --out holds log.csv, model.safetensors and what resuming needs.",
      "train_text");
  example::add_options(app, o);
  return example::run_ranks(app, argc, argv, [&](AnyCommunicator ranks) { return train(o, std::move(ranks)); });
}
