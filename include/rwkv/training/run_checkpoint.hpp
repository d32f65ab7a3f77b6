#pragma once
#include <charconv>
#include <filesystem>
#include <string>
#include <utility>

#include <rwkv/io/finite.hpp>
#include <rwkv/training/not_finite.hpp>
#include <rwkv/training/run_folder.hpp>
#include <rwkv/training/run_identity.hpp>

namespace rwkv {
namespace detail {

/// The same batch in every step.
struct OneBatch {
  Minibatch batch;
  Seq seq() const { return batch.seq; }
  void fill(dim_t, Minibatch& to) const { to = batch; }
};

/// Metadata that is a number; NaN where there is none.
[[gnu::cold]] inline double number_in(const Metadata& metadata, const char* key) {
  double x = std::nan("");
  if (const auto found = metadata.find(key); found != metadata.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), x);
  return x;
}

}  // namespace detail

/// What a run leaves in its folder to be resumed from, besides the model. A checkpoint is replaced only by a sound one:
/// all its numbers are finite, and a forward pass of the new parameters, on the last batch of the step, gives a finite
/// loss. Until then the one before stays. All ranks make the same calls.
class RunCheckpoint {
 public:
  RunCheckpoint(AnyTrainer& trainer, const RunConfig& run, Settings identity)
      : trainer_(trainer), ranks_(trainer.ranks()), run_(run), identity_(std::move(identity)) {}

  /// Puts the trainer where the run goes on, and returns what was last reported. `folder` is null in a rank that does
  /// not write. A run that starts afresh sets aside what is in the folder.
  [[gnu::cold]] StepReport resume(const RunFolder* folder) {
    StepReport last;
    last.steps = run_.steps, last.loss = std::nan("");
    const bool found = run_.resume && std::filesystem::exists(run_.checkpoint());
    if (any(ranks_, found) && any(ranks_, !found))
      throw Error(run_.checkpoint(), ": expected it in the reach of all ", ranks_.size(), " ranks, ",
                  found ? "others do" : "this one does", " not find it; give a folder that all machines share");
    if (found) {
      const std::string which = together(ranks_, [&] {
        const SafetensorsFile file(run_.checkpoint());
        if (!expect_same_run(file, identity_, run_) && folder != nullptr)
          folder->tell(run_.checkpoint() + ": does not say what run made it; it is taken to be this one");
        return "step " + std::to_string(detail::checkpoint_steps(file)) + ", loss " +
               number_text(detail::number_in(file.metadata(), "loss"), 17);
      });
      expect_equal(ranks_, run_.checkpoint(), which);  // each machine may have one of its own
      const Metadata metadata = load_checkpoint(trainer_, run_.checkpoint());
      last.loss = detail::number_in(metadata, "loss"), last.valid = detail::number_in(metadata, "valid_loss");
    } else {
      together(ranks_, [&] {
        if (folder != nullptr) folder->set_aside();
      });
    }
    last.step = saved_ = trainer_.steps();
    return last;
  }

  /// After a step, with its last batch. NotFinite, and nothing is replaced, if the checkpoint would not be sound.
  [[gnu::cold]] void save(const StepReport& report, const Minibatch& batch) {
    if (const std::string broken = unsound(batch); !broken.empty()) refuse(report.step, broken);
    saved_ = report.step;
    write(report);
  }
  /// Where a source has failed: the steps since the last checkpoint, if it is sound.
  [[gnu::cold]] void save_unsaved(const StepReport& report, const Minibatch& batch) {
    trainer_.rewind();
    if (trainer_.steps() == saved_ || batch.inputs.empty() || !unsound(batch).empty()) return;
    write(report);
  }
  /// NotFinite unless the validation loss, of that text, is finite.
  [[gnu::cold]] void expect_finite(const StepReport& report, const std::string& text) {
    if (std::isfinite(report.valid)) return;
    refuse(report.step, "the validation loss" + (text.empty() ? "" : " on " + text));
  }

  /// For messages: what to resume from.
  std::string way_back() const {
    if (!std::filesystem::exists(run_.checkpoint())) return "; no checkpoint was made yet";
    return "; the last good checkpoint is " + run_.checkpoint();
  }

 private:
  void write(const StepReport& report) {
    together(ranks_, [&] {  // the checkpoint last: what it says is there
      if (trainer_.writes()) rwkv::save(trainer_.parameters(), run_.model(), run_.metadata);
    });
    Metadata metadata = run_.metadata;
    for (const auto& [name, value] : identity_) metadata[detail::identity_key(name)] = value;
    metadata["loss"] = shortest(report.loss);
    if (!std::isnan(report.valid)) metadata["valid_loss"] = shortest(report.valid);
    save_checkpoint(trainer_, run_.checkpoint(), std::move(metadata));
  }
  /// What is not finite of what would be saved, in any rank; empty if it is sound.
  std::string unsound(const Minibatch& batch) {
    std::string broken;
    for (const CheckpointPart& part : trainer_.parts())
      if (const Leaf* leaf = broken.empty() ? first_nonfinite(part.own) : nullptr) broken = part.name + leaf->name;
    if (std::string found = first_text(ranks_, broken); !found.empty()) return found;
    const double loss = trainer_.evaluate(detail::OneBatch{batch}, 1);
    return std::isfinite(loss) ? "" : "the loss after the update";
  }
  [[noreturn]] void refuse(dim_t step, const std::string& what) const {
    throw NotFinite(NotFinite(step, what, "nothing of this step was saved"), way_back());
  }

  AnyTrainer& trainer_;
  AnyCommunicator& ranks_;
  const RunConfig& run_;
  Settings identity_;
  dim_t saved_ = 0;
};

}  // namespace rwkv
