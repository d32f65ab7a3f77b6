#pragma once
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include <rwkv/training/interrupt.hpp>
#include <rwkv/training/log.hpp>
#include <rwkv/training/progress.hpp>
#include <rwkv/training/run_checkpoint.hpp>

namespace rwkv {

/// How a run ended.
struct Outcome {
  StepReport last;
  dim_t first_step = 0;      ///< where it resumed; 0: afresh
  bool finished = false;     ///< it had made all its steps before, and nothing was changed
  bool interrupted = false;  ///< by a signal: saved, to be resumed
  int signal = 0;            ///< which: SIGINT (Ctrl-C), SIGTERM or SIGHUP; 0 where another process got it
};

namespace detail {

/// What a source threw, in this rank or another: all ranks have stopped.
struct SourceFailed {
  std::exception_ptr error;
};
template <class F>
auto from_source(AnyCommunicator& ranks, const F& f) {
  return together(ranks, f, [](const std::exception_ptr& error) { throw SourceFailed{error}; });
}

/// The last batch that was read whole, this rank's rows of it, and memory for the one that is being read.
struct LastBatch {
  Minibatch whole, next;
  const Minibatch& read(AnyTrainer& trainer, const Batches& source, dim_t number) {
    const OwnRows<Batches> rows{source, trainer.seq(), trainer.rows()};
    from_source(trainer.ranks(), [&] { rows.fill(number, next); });
    std::swap(whole, next);
    return whole;
  }
};

/// One step on the batches that belong to it: its mean loss.
inline double step(AnyTrainer& trainer, const Batches& source, dim_t number, LastBatch& last) {
  const int many = trainer.batches_per_step();
  double loss = 0;
  for (int i = 0; i < many; ++i) loss += trainer.step(last.read(trainer, source, number * many + i)) / many;
  return loss;
}

/// A step and, if it is due, the validation after it.
inline void step(AnyTrainer& trainer, const Batches& source, const std::optional<Batches>& valid, LastBatch& batch,
                 const RunConfig& run, StepReport& report) {
  const auto start = std::chrono::steady_clock::now();
  report.learning_rate = trainer.learning_rate();
  report.loss = step(trainer, source, report.step, batch);
  report.step = trainer.steps();
  report.gradient_norm = trainer.gradient_norm();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.seconds += seconds;
  report.tokens_per_second = double(trainer.batches_per_step() * source.seq().tokens()) / seconds;
  report.validated = valid && run.valid_every > 0 && (report.step % run.valid_every == 0 || report.step == run.steps);
  if (!report.validated) return;
  const auto rows = [&] { return trainer.evaluate_rows(*valid, run.valid_batches); };
  report.valid = mean(trainer.ranks(), from_source(trainer.ranks(), rows));
}

}  // namespace detail

/// Trains up to run.steps updates on batches number 0, 1, ... of `source`, validating on the first batches of `valid`,
/// and leaves everything in the folder, which no other run may use meanwhile. What an earlier run left there is kept
/// under other names unless this one resumes it; see run_identity for which may. A kill at any moment leaves the last
/// checkpoint whole, and none is replaced by one that is not sound: see RunCheckpoint. A signal, or an error of a
/// source, ends the run after what is done is saved. NotFinite names the checkpoint to go back to. Of several ranks all
/// call it with the same sources and config, whose batches they share out; rank 0 writes, and what keeps one from going
/// on ends the run in all.
inline Outcome fit(AnyTrainer& trainer, const Batches& source, const std::optional<Batches>& valid,
                   const RunConfig& run) {
  run.check();
  AnyCommunicator& ranks = trainer.ranks();
  std::optional<RunFolder> folder;
  together(ranks, [&] {
    if (trainer.writes()) folder.emplace(run);
  });
  const Settings identity = together(ranks, [&] { return run_identity(trainer, source, valid, run); });
  expect_same_run(trainer, identity, run);
  RunCheckpoint checkpoint(trainer, run, identity);
  Outcome outcome;
  outcome.last = checkpoint.resume(folder ? &*folder : nullptr);
  outcome.first_step = outcome.last.step;
  outcome.finished = outcome.first_step > 0 && outcome.first_step >= run.steps;
  if (outcome.finished) return outcome;
  StepReport& report = outcome.last;
  std::optional<Log> log;
  Progress progress;
  together(ranks, [&] {
    if (!folder) return;
    log.emplace(*folder, run.log(), report.step);
    report.seconds = log->seconds();
    progress.start_at(report.seconds);
  });
  const Interrupt interrupt;
  detail::LastBatch batch;
  dim_t before = 0;
  const auto save_and_throw = [&](const std::exception_ptr& first) {
    try {
      together(ranks, [&] {
        if (log && report.step > before) report.validated = false, log->write(report);  // the validation failed
      });
      checkpoint.save_unsaved(report, batch.whole);
    } catch (const std::exception& second) {
      if (folder) folder->tell(run.folder + ": what was done could not be saved: " + second.what());
    }
    std::rethrow_exception(first);
  };
  while (report.step < run.steps && !outcome.interrupted) {
    before = report.step;
    try {
      detail::step(trainer, source, valid, batch, run, report);
    } catch (const NotFinite& error) {
      throw NotFinite(error, checkpoint.way_back());
    } catch (const detail::SourceFailed& failed) {
      save_and_throw(failed.error);
    } catch (...) {
      if (ranks.size() > 1) throw;  // the others know nothing of it
      save_and_throw(std::current_exception());
    }
    outcome.interrupted = any(ranks, interrupt.raised() != 0) && report.step < run.steps;
    together(ranks, [&] {
      if (!log) return;
      log->write(report);
      run.show ? run.show(report) : progress.show(report);
    });
    if (report.validated) checkpoint.expect_finite(report, valid->name());
    if (report.step == run.steps || outcome.interrupted || (run.save_every > 0 && report.step % run.save_every == 0))
      checkpoint.save(report, batch.whole);
  }
  outcome.signal = outcome.interrupted ? interrupt.raised() : 0;
  return outcome;
}
template <class Net, Backend B, class O, class C>
Outcome fit(Trainer<Net, B, O, C>& trainer, const Batches& source, const std::optional<Batches>& valid,
            const RunConfig& run) {
  ErasedTrainer<Trainer<Net, B, O, C>&> any(trainer);
  return fit(static_cast<AnyTrainer&>(any), source, valid, run);
}

}  // namespace rwkv
