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

/// The batches that belong to a step, all of them before any is trained on: where a source fails, the trainer is as the
/// step before left it.
inline void read(const Batches& source, dim_t step, std::vector<Minibatch>& batches) {
  const auto many = static_cast<dim_t>(batches.size());
  for (dim_t i = 0; i < many; ++i) source.fill(step * many + i, batches[static_cast<std::size_t>(i)]);
}
/// One step on its batches: its mean loss.
inline double step(AnyTrainer& trainer, const std::vector<Minibatch>& batches, const RunConfig& run) {
  double loss = 0;
  try {
    for (const Minibatch& batch : batches) loss += trainer.step(batch) / double(batches.size());
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
/// train together, each gives a source of its own, and one writes. NotFinite names the checkpoint to go back to. What a
/// source throws, as where its text was changed, is passed on when everything up to then is saved.
inline Outcome fit(AnyTrainer& trainer, const Batches& source, const std::optional<Batches>& valid,
                   const RunConfig& run) {
  run.check();
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
  const auto save_all = [&] {
    save(trainer.parameters(), run.model(), run.metadata);  // the checkpoint last: what it says was reached is there
    Metadata metadata = run.metadata;
    metadata["settings"] = run.settings;
    save_checkpoint(trainer, run.checkpoint(), metadata);
  };
  std::vector<Minibatch> batches(static_cast<std::size_t>(trainer.batches_per_step()));
  while (report.step < run.steps && !outcome.interrupted) {
    const auto start = std::chrono::steady_clock::now();
    report.learning_rate = trainer.learning_rate();
    try {
      detail::read(source, report.step, batches);
    } catch (...) {
      if (trainer.writes() && report.step > outcome.first_step) save_all();
      throw;
    }
    report.loss = detail::step(trainer, batches, run);
    report.step = trainer.steps();
    report.gradient_norm = trainer.gradient_norm();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report.seconds += seconds;
    report.tokens_per_second = double(trainer.batches_per_step() * source.seq().tokens()) / seconds;
    report.validated = valid && run.valid_every > 0 && (report.step % run.valid_every == 0 || report.step == run.steps);
    try {
      if (report.validated) report.valid = trainer.evaluate(*valid, run.valid_batches);
    } catch (const NotFinite&) {
      throw;
    } catch (...) {
      report.validated = false;
      if (trainer.writes()) log->write(report), save_all();
      throw;
    }
    outcome.interrupted = trainer.any(interrupt.raised()) && report.step < run.steps;
    if (!trainer.writes()) continue;
    log->write(report);
    run.show ? run.show(report) : progress.show(report);
    if (report.step == run.steps || outcome.interrupted || (run.save_every > 0 && report.step % run.save_every == 0)) {
      save_all();
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
