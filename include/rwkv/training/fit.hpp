#pragma once
#include <chrono>
#include <filesystem>
#include <optional>

#include <rwkv/training/any_trainer.hpp>
#include <rwkv/training/interrupt.hpp>
#include <rwkv/training/log.hpp>
#include <rwkv/training/progress.hpp>
#include <rwkv/training/run_config.hpp>

namespace rwkv {

/// How a run ended.
struct Outcome {
  StepReport last;
  dim_t first_step = 0;      ///< where it resumed; 0: afresh
  bool interrupted = false;  ///< by Ctrl-C: saved, to be resumed
};

namespace detail {
/// The step from which the run goes on.
inline dim_t resume(AnyTrainer& trainer, const RunConfig& run) {
  if (!run.resume) {  // an old checkpoint is put aside, not lost
    if (trainer.writes() && std::filesystem::exists(run.checkpoint()))
      std::filesystem::rename(run.checkpoint(), run.previous());
    return 0;
  }
  if (!std::filesystem::exists(run.checkpoint())) return 0;
  if (const SafetensorsFile file(run.checkpoint()); file.metadata().contains("settings")) {
    const std::string& found = file.metadata().at("settings");
    if (found != run.settings)
      throw Error(run.checkpoint(), ": expected a run with ", run.settings, ", found ", shown(found, 1000),
                  "; resume with the same settings, or start afresh in another folder");
  }
  load_checkpoint(trainer, run.checkpoint());
  return trainer.steps();
}

/// One step on the batches that belong to it: its mean loss.
inline double step(AnyTrainer& trainer, const Batches& source, dim_t number, Minibatch& batch, const RunConfig& run) {
  const int many = trainer.batches_per_step();
  double loss = 0;
  try {
    for (int i = 0; i < many; ++i) {
      source.fill(number * many + i, batch);
      loss += trainer.step(batch) / many;
    }
  } catch (const NotFinite& error) {
    const bool saved = std::filesystem::exists(run.checkpoint());
    throw NotFinite(error,
                    saved ? "; the last good checkpoint is " + run.checkpoint() : "; no checkpoint was made yet");
  }
  return loss;
}
}  // namespace detail

/// Trains up to run.steps updates on batches number 0, 1, ... of `source`, validating on the first batches of `valid`,
/// and leaves everything in the folder. A kill at any moment leaves the last checkpoint whole. Where several processes
/// train together, each gives a source of its own, and one writes. NotFinite names the checkpoint to go back to.
inline Outcome fit(AnyTrainer& trainer, const Batches& source, const std::optional<Batches>& valid,
                   const RunConfig& run) {
  Outcome outcome;
  outcome.first_step = detail::resume(trainer, run);
  std::optional<Log> log;
  if (trainer.writes()) {
    std::error_code failed;
    std::filesystem::create_directories(run.folder, failed);
    if (failed) throw Error(run.folder, ": cannot create this folder (", failed.message(), "); choose another one");
    log.emplace(run.log(), outcome.first_step);
  }
  StepReport report;
  report.step = outcome.first_step, report.steps = run.steps, report.seconds = log ? log->seconds() : 0;
  Progress progress;
  progress.start_at(report.seconds);
  const Interrupt interrupt;
  Minibatch batch;
  while (report.step < run.steps && !outcome.interrupted) {
    const auto start = std::chrono::steady_clock::now();
    report.learning_rate = trainer.learning_rate();
    report.loss = detail::step(trainer, source, report.step, batch, run);
    report.step = trainer.steps();
    report.gradient_norm = trainer.gradient_norm();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report.seconds += seconds;
    report.tokens_per_second = double(trainer.batches_per_step() * source.seq().tokens()) / seconds;
    report.validated = valid && run.valid_every > 0 && (report.step % run.valid_every == 0 || report.step == run.steps);
    if (report.validated) report.valid = trainer.evaluate(*valid, run.valid_batches);
    outcome.interrupted = trainer.any(interrupt.raised()) && report.step < run.steps;
    if (!trainer.writes()) continue;
    log->write(report);
    run.show ? run.show(report) : progress.show(report);
    if (report.step == run.steps || outcome.interrupted || (run.save_every > 0 && report.step % run.save_every == 0)) {
      save(trainer.parameters(), run.model(), run.metadata);  // the checkpoint last: what it says was reached is there
      Metadata metadata = run.metadata;
      metadata["settings"] = run.settings;
      save_checkpoint(trainer, run.checkpoint(), metadata);
    }
  }
  outcome.last = report;
  return outcome;
}
template <class Net, Backend B, class O, class C>
Outcome fit(Trainer<Net, B, O, C>& trainer, const Batches& source, const std::optional<Batches>& valid,
            const RunConfig& run) {
  ErasedTrainer<Trainer<Net, B, O, C>&> any(trainer);
  return fit(static_cast<AnyTrainer&>(any), source, valid, run);
}

}  // namespace rwkv
