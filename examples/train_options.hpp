#pragma once
#include <map>
#include <string>

#include "model_options.hpp"

namespace example {

/// What train_text may be told.
struct Options : MachineOptions {
  std::string text, valid, init, out = "run", model = "rwkv4", size = "128x4", tokenizer, curve = "constant",
                                 batches = "random", gradients = "fp32";
  rwkv::dim_t steps = 1000, batch = 8, context = 128, valid_every = 100, save_every = 250, warmup = 20;
  int accumulate = 1;
  double rate = 6e-4, final_rate = 1e-5, decay = 0.1, clip = 1;
  std::uint64_t seed = 1;
  bool resume = false, l2wrap = false, summary = false, sharded = false;
};

inline void add_options(CLI::App& app, Options& o) {
  app.option_defaults()->always_capture_default();
  app.add_option(
      "--text", o.text,
      "what to learn: a UTF-8 text, documents (.jsonl) or tokens (.bin and .idx); without it, the headers of "
      "the installed Eigen");
  app.add_option("--valid", o.valid, "what to validate on; without it, the last tenth of --text");
  app.add_option("--out", o.out, "folder of the run");
  o.MachineOptions::add(app);
  auto* init = app.add_option("--init", o.init, "a model's file to start from, in any format that rwkv reads");
  app.add_option("--model", o.model,
                 "rwkv4, rwkv5, rwkv6, rwkv7 or gpt2; a wrong one is answered with those that were compiled in")
      ->excludes(init);
  app.add_option("--size", o.size, "width x layers, as in 384x6")->excludes(init);
  app.add_option("--tokenizer", o.tokenizer,
                 "characters, bytes or a tokenizer's file; without it characters, or that of --init");
  app.add_option("--steps", o.steps, "updates in all")->check(between(1L, 1L << 40));
  app.add_option("--batch", o.batch, "sequences per step, of all ranks that mpirun starts")
      ->check(between(1L, 1L << 20));
  app.add_option("--context", o.context, "tokens of a sequence")->check(between(1L, 1L << 30));
  app.add_option("--accumulate", o.accumulate, "batches per update")->check(between(1, 1 << 20));
  app.add_option("--batches", o.batches, "random places; or contiguous: in order, the state carried on")
      ->check(one_of({"random", "contiguous"}));
  app.add_option("--rate", o.rate, "learning rate after the warm-up")->check(positive());
  app.add_option("--curve", o.curve, "of the rate: constant, cosine or exponential")
      ->check(one_of({"constant", "cosine", "exponential"}));
  app.add_option("--final-rate", o.final_rate, "where the curve ends")->check(non_negative());
  app.add_option("--warmup", o.warmup, "steps of the linear rise")->check(at_least(0L));
  app.add_option("--decay", o.decay, "weight decay of matrices")->check(non_negative());
  app.add_option("--clip", o.clip, "largest gradient norm, 0: none")->check(non_negative());
  app.add_option("--valid-every", o.valid_every, "steps between validations, 0: none")->check(at_least(0L));
  app.add_option("--save-every", o.save_every, "steps between checkpoints")->check(at_least(0L));
  app.add_option("--seed", o.seed, "of weights and batches")->check(seed());
  app.add_flag("--l2wrap", o.l2wrap, "l2wrap on large logits, as the official trainer does");
  app.add_flag("--sharded", o.sharded, "of several ranks, each keeps a share of the optimizer's memory only");
  app.add_option("--gradients", o.gradients,
                 "as which they travel to the rank that adds them up: fp32, or bf16 in half the bytes")
      ->check(one_of({"fp32", "bf16"}));
  app.add_flag("--summary", o.summary, "print the model's table and stop");
  app.add_flag("--resume", o.resume, "go on from the folder's checkpoint; afresh where there is none");
}

/// What messages call the settings of a run: the option that sets them.
inline const std::map<std::string, std::string> words = {{"net", "--model, --size"},
                                                         {"steps", "--steps"},
                                                         {"valid_every", "--valid-every"},
                                                         {"save_every", "--save-every"},
                                                         {"resume", "--resume"},
                                                         {"sharded", "--sharded"},
                                                         {"start", "--init"},
                                                         {"tokenizer", "--tokenizer"},
                                                         {"vocabulary", "the characters of --text"},
                                                         {"precision", "--precision"},
                                                         {"batch", "--batch"},
                                                         {"context", "--context"},
                                                         {"learning_rate", "--rate"},
                                                         {"warmup", "--warmup"},
                                                         {"curve", "--curve"},
                                                         {"final_learning_rate", "--final-rate"},
                                                         {"curve_steps", "--steps"},
                                                         {"decay", "--decay"},
                                                         {"clip", "--clip"},
                                                         {"accumulate", "--accumulate"},
                                                         {"l2wrap", "--l2wrap"},
                                                         {"carry", "--batches"},
                                                         {"batches", "--batches"},
                                                         {"dropout_seed", "--seed"},
                                                         {"gradients", "--gradients"},
                                                         {"seed", "--seed"},
                                                         {"text", "--text"},
                                                         {"validation_batches", "--batches"},
                                                         {"validation_seed", "--seed"},
                                                         {"validation_text", "the text of --valid"}};

}  // namespace example
