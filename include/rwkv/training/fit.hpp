#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

#include <rwkv/training/checkpoint.hpp>
#include <rwkv/training/interrupt.hpp>
#include <rwkv/training/log.hpp>
#include <rwkv/training/progress.hpp>

namespace rwkv {

/// A training run with a folder: log.csv, model.safetensors (the parameters, for use) and resume.safetensors.
struct RunConfig {
  std::string folder = "run";
  dim_t steps = 1000;
  dim_t valid_every = 100, valid_batches = 16;
  dim_t save_every = 500;
  bool resume = false;        ///< goes on from the folder's checkpoint, or afresh where there is none
  Metadata metadata = {};     ///< saved with the model, such as its tokenizer
  std::string settings = {};  ///< what must be the same for a resumed run to go on bit for bit, in words
  std::function<void(const StepReport&)> show = {};  ///< called after every step; without it, a line on the terminal

  std::string log() const { return folder + "/log.csv"; }
  std::string model() const { return folder + "/model.safetensors"; }
  std::string checkpoint() const { return folder + "/resume.safetensors"; }
  /// The checkpoint that a run which started afresh found in its folder.
  std::string previous() const { return folder + "/previous.safetensors"; }
};

/// How a run ended.
struct Outcome {
  StepReport last;
  dim_t first_step = 0;      ///< where it resumed; 0: afresh
  bool interrupted = false;  ///< by Ctrl-C: saved, to be resumed
};

namespace detail {
template <class Net, Backend B>
dim_t resume(Trainer<Net, B>& trainer, const RunConfig& run) {
  if (!std::filesystem::exists(run.checkpoint())) return 0;
  if (!run.resume) {  // out of the way of this run, but not lost
    std::filesystem::rename(run.checkpoint(), run.previous());
    return 0;
  }
  if (const SafetensorsFile file(run.checkpoint()); file.metadata().contains("settings")) {
    const std::string& found = file.metadata().at("settings");
    if (found != run.settings)
      throw Error(run.checkpoint(), ": expected a run with ", run.settings, ", found ", found,
                  "; resume with the same settings, or start afresh in another folder");
  }
  load_checkpoint(trainer, run.checkpoint());
  return trainer.steps();
}
}  // namespace detail

/// Trains up to run.steps updates on batches number 0, 1, ... of `source`, validating on the first batches of `valid`,
/// and leaves everything in the folder. A kill at any moment leaves the last checkpoint whole. NotFinite names the
/// checkpoint to go back to.
template <class Net, Backend B, BatchSource Source, BatchSource Valid>
Outcome fit(Trainer<Net, B>& trainer, Model<Net, B>& model, const Source& source, const std::optional<Valid>& valid,
            const RunConfig& run) {
  std::error_code failed;
  std::filesystem::create_directories(run.folder, failed);
  if (failed) throw Error(run.folder, ": cannot create this folder (", failed.message(), "); choose another one");

  Outcome outcome;
  outcome.first_step = detail::resume(trainer, run);
  Log log(run.log(), outcome.first_step);
  Progress progress;
  progress.start_at(log.seconds());
  const Interrupt interrupt;
  const auto save_all = [&] {  // the checkpoint last: what it says was reached is there, whenever a kill comes
    save(model, run.model(), run.metadata);
    Metadata metadata = run.metadata;
    metadata["settings"] = run.settings;
    save_checkpoint(trainer, run.checkpoint(), metadata);
  };

  StepReport report;
  report.step = outcome.first_step, report.steps = run.steps, report.seconds = log.seconds();
  Minibatch batch;
  const int many = trainer.config().accumulate;
  while (report.step < run.steps && !outcome.interrupted) {
    const auto start = std::chrono::steady_clock::now();
    report.learning_rate = trainer.learning_rate();
    report.loss = 0;
    try {
      for (int i = 0; i < many; ++i) {
        source.fill(report.step * many + i, batch);
        report.loss += trainer.step(batch) / many;
      }
    } catch (const NotFinite& error) {
      const bool saved = std::filesystem::exists(run.checkpoint());
      throw NotFinite(error,
                      saved ? "; the last good checkpoint is " + run.checkpoint() : "; no checkpoint was made yet");
    }
    report.step = trainer.steps();
    report.gradient_norm = trainer.gradient_norm();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report.seconds += seconds;
    report.tokens_per_second = double(many * source.seq().tokens()) / seconds;
    report.validated = valid && run.valid_every > 0 && (report.step % run.valid_every == 0 || report.step == run.steps);
    if (report.validated) report.valid = trainer.evaluate(*valid, run.valid_batches);
    log.write(report);
    run.show ? run.show(report) : progress.show(report);
    outcome.interrupted = interrupt.raised() && report.step < run.steps;
    if (report.step == run.steps || outcome.interrupted || (run.save_every > 0 && report.step % run.save_every == 0))
      save_all();
  }
  outcome.last = report;
  return outcome;
}

}  // namespace rwkv
