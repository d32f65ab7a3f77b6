#pragma once
#include "../options.hpp"
#include "study.hpp"

namespace compare {

inline void add_options(CLI::App& app, Study& s) {
  using namespace example;
  app.option_defaults()->always_capture_default();
  app.add_option("--text", s.text, "UTF-8 text to learn")->required();
  app.add_option("--valid", s.valid, "text to validate on; without it, the last tenth of --text");
  app.add_option("--out", s.out, "folder of the study; the same command again goes on with it");
  app.add_option("--size", s.size, "about so many parameters")->check(one_of({"1m", "14m", "90m"}));
  app.add_option("--device", s.device, "cpu or gpu")->check(one_of({"cpu", "gpu"}));
  app.add_option("--precision", s.precision, "fp32, or bf16 with fp32 master weights")->check(one_of({"fp32", "bf16"}));
  app.add_option("--models", s.models, "what is compared; NAME@RATE has its own learning rate")->delimiter(',');
  app.add_option("--seeds", s.seeds, "runs of every model: seeds 1, 2, ...")->check(between(1L, 1000L));
  app.add_option("--tokens", s.tokens, "that every run reads")->check(between(1L, 1L << 50));
  app.add_option("--batch", s.batch, "sequences per step")->check(between(1L, 1L << 20));
  app.add_option("--context", s.context, "tokens of a sequence")->check(between(1L, 256L));
  app.add_option("--rate", s.rate, "learning rate after the warm-up")->check(positive());
  app.add_option("--final-rate", s.final_rate, "where its cosine ends")->check(non_negative());
  app.add_option("--warmup", s.warmup, "steps of the linear rise")->check(at_least(0L));
  app.add_option("--decay", s.decay, "weight decay of matrices")->check(non_negative());
  app.add_option("--beta2", s.beta2, "of AdamW")->check(between(0.0, 0.999999));
  app.add_option("--clip", s.clip, "largest gradient norm, 0: none")->check(non_negative());
  app.add_option("--validations", s.validations, "of every run")->check(between(1L, 1L << 20));
  app.add_option("--valid-batches", s.valid_batches, "batches of a validation")->check(between(1L, 1L << 30));
  app.add_option("--saves", s.saves, "checkpoints of every run")->check(between(1L, 1L << 20));
  app.add_option("--prompt", s.prompts, "to go on with; without it, three places of the validation text");
  app.add_option("--temperatures", s.temperatures, "of the samples")->delimiter(',')->check(non_negative());
  app.add_option("--sample-length", s.sample_length, "tokens of a sample")->check(between(1L, 1L << 20));
  app.add_option("--length", s.length, "characters of windows for losses by position, 0: none")->check(at_least(0L));
  app.add_option("--length-windows", s.length_windows, "how many of them, if the text has as many")
      ->check(between(1L, 1L << 20));
  app.add_option("--write-to", s.write_to, "characters of a text that is timed all along, 0: none")
      ->check(between(0L, 1L << 30));
  app.add_option("--threads", s.threads, "0: as many as the machine has")->check(between(0, 1024));
}

}  // namespace compare
