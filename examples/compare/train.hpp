#pragma once
#include <algorithm>

#include <rwkv/text/batches.hpp>
#include <rwkv/training/fit.hpp>

#include "../device.hpp"
#include "folder.hpp"
#include "measure.hpp"

namespace compare {

/// Trains one model of one seed, or goes on where its folder says. The same seed means the same windows in the same
/// order for every model; validation windows are the same for all. All that decays begins `start` times as large as
/// usual. False if it was interrupted.
template <class Net, class B>
bool train_on(const Job& job, float start) {
  using namespace rwkv;
  const Study& s = job.study;
  Model<Net, B> model(job.seed);
  auto weights = model.params.download();
  for (const Leaf& leaf : model.params.leaves())
    if (leaf.field.decays) {
      const auto first = weights.begin() + leaf.offset;
      std::transform(first, first + leaf.size, first, [&](float w) { return start * w; });
    }
  B::upload(model.params.data(), weights.data(), model.params.size());
  const Schedule schedule{job.entry.rate, s.final_rate * job.entry.rate / s.rate, s.warmup, s.steps(),
                          Schedule::Curve::cosine};
  Trainer trainer(
      model,
      TrainConfig{
          .schedule = schedule, .optimizer = {.beta2 = s.beta2, .decay = s.decay}, .clip = s.clip, .seed = job.seed},
      s.seq());
  RunConfig run{.folder = job.folder(),
                .steps = s.steps(),
                .valid_every = s.valid_every(),
                .valid_batches = s.valid_batches,
                .save_every = s.save_every(),
                .resume = true,
                .metadata = job.texts.train.tokenizer().metadata(),
                .settings = job.entry.label + ", seed " + std::to_string(job.seed),
                .show = job.show};
  const RandomWindows windows(job.texts.train, s.seq(), job.seed);
  const std::optional valid = RandomWindows(job.texts.valid, s.seq(), 0);
  if (fit(trainer, windows, valid, run).interrupted) return false;
  if (job.writes()) write_samples(job, model), measure_speed(job, model);
  write_file(job.finished(), "steps " + std::to_string(s.steps()) + "\n");
  std::filesystem::remove(run.checkpoint());  // the model stays, what resuming needed may go
  return true;
}
template <class Net>
bool train(const Job& job, float start) {
  return example::on_device(job.study.device, [&]<class B>() { return int(train_on<Net, B>(job, start)); });
}

}  // namespace compare
