#pragma once
#include <rwkv/text/random_windows.hpp>
#include <rwkv/training/fit.hpp>

#include "contender.hpp"
#include "folder.hpp"
#include "measure.hpp"

namespace compare {

/// Trains one model of one seed, or goes on where its folder says. The same seed means the same windows in the same
/// order for every model; validation windows are the same for all. All that decays begins `start` times as large as
/// usual. The signal that interrupted it, 0 if none did.
inline int train(const Job& job, const Contender& contender) {
  using namespace rwkv;
  const Study& s = job.study;
  const auto model = contender.net->make(*contender.net, s.machine(), job.seed);
  model->scale_weights(contender.start);
  const Schedule schedule{job.entry.rate, s.final_rate * job.entry.rate / s.rate, s.warmup, s.steps(),
                          Schedule::Curve::cosine};
  const auto trainer = model->trainer(
      {.schedule = schedule, .optimizer = {.beta2 = s.beta2, .decay = s.decay}, .clip = s.clip, .seed = job.seed},
      s.seq());
  Metadata metadata = contender.net->metadata();
  metadata.merge(job.texts.train.tokenizer().metadata());
  RunConfig run{.folder = job.folder(),
                .steps = s.steps(),
                .valid_every = s.valid_every(),
                .valid_batches = s.valid_batches,
                .save_every = s.save_every(),
                .resume = true,
                .metadata = metadata,
                .settings = {{"model", job.entry.label}, {"seed of the weights", std::to_string(job.seed)}},
                .show = job.show};
  const RandomWindows windows(job.texts.train, s.seq(), job.seed), valid(job.texts.valid, s.seq(), 0);
  if (const Outcome end = fit(*trainer, windows, valid, run); end.interrupted)
    return end.signal != 0 ? end.signal : SIGINT;
  if (job.writes()) write_samples(job, *model), measure_speed(job, *model);
  write_file(job.finished(), "steps " + std::to_string(s.steps()) + "\n");
  std::filesystem::remove(run.checkpoint());  // the model stays, what resuming needed may go
  return 0;
}

}  // namespace compare
