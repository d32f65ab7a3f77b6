#pragma once
#include <memory>
#include <string>
#include <utility>

#include <rwkv/text/batches.hpp>
#include <rwkv/training/checkpoint.hpp>
#include <rwkv/training/recipe.hpp>
#include <rwkv/training/together.hpp>

namespace rwkv {

/// A Trainer of any language model, chosen at run time: programs that use it are compiled once for all models.
class AnyTrainer {
 public:
  virtual ~AnyTrainer() = default;

  virtual Seq seq() const = 0;     ///< of the batch of all ranks
  virtual Share rows() const = 0;  ///< which sequences of it are this rank's
  virtual dim_t steps() const = 0;
  virtual int batches_per_step() const = 0;  ///< TrainConfig::accumulate
  virtual bool sharded() const = 0;
  virtual double learning_rate() const = 0;
  virtual double gradient_norm() const = 0;

  /// What decides its numbers besides the net and the batches.
  virtual Settings settings() const = 0;

  virtual double step(const Minibatch& batch) = 0;
  /// As the last update left everything.
  virtual void rewind() = 0;
  /// Of this rank's rows, for which it waits for no other.
  virtual double evaluate_rows(const Batches& source, dim_t n, dim_t first = 0) = 0;
  double evaluate(const Batches& source, dim_t n, dim_t first = 0) {
    return mean(ranks(), together(ranks(), [&] { return evaluate_rows(source, n, first); }));
  }

  /// The model's own, as they are now.
  virtual BundleMemory parameters() = 0;
  virtual CheckpointParts parts() = 0;
  /// To be called when the parts have been replaced by those after so many updates.
  virtual void continue_from(dim_t steps) = 0;

  virtual AnyCommunicator& ranks() = 0;
  /// Whether this rank is the one that writes logs and files.
  bool writes() { return ranks().rank() == 0; }
};

/// T is a Trainer, which is held, or a reference to one.
template <class T>
class ErasedTrainer final : public AnyTrainer {
 public:
  template <class... Args>
  explicit ErasedTrainer(Args&&... args) : trainer_(std::forward<Args>(args)...), ranks_(trainer_.communicator()) {}

  Seq seq() const override { return trainer_.seq(); }
  Share rows() const override { return trainer_.rows(); }
  dim_t steps() const override { return trainer_.steps(); }
  int batches_per_step() const override { return trainer_.config().accumulate; }
  bool sharded() const override { return trainer_.config().sharded; }
  double learning_rate() const override { return trainer_.learning_rate(); }
  double gradient_norm() const override { return trainer_.gradient_norm(); }

  Settings settings() const override {
    using Plain = std::remove_reference_t<T>;
    return settings_of(trainer_.config(), trainer_.seq(), storage_of<typename Plain::scalar>);
  }

  double step(const Minibatch& batch) override { return trainer_.step(batch); }
  void rewind() override { trainer_.rewind(); }
  double evaluate_rows(const Batches& source, dim_t n, dim_t first) override {
    return trainer_.evaluate_rows(source, n, first);
  }

  BundleMemory parameters() override { return memory_of(trainer_.model().params); }
  CheckpointParts parts() override { return trainer_.parts(); }
  void continue_from(dim_t steps) override { trainer_.continue_from(steps); }

  AnyCommunicator& ranks() override { return ranks_; }

 private:
  T trainer_;
  AnyCommunicator ranks_;
};

inline void save_checkpoint(AnyTrainer& trainer, const std::string& path, Metadata metadata = {}) {
  save_checkpoint(trainer.parts(), trainer.steps(), trainer.ranks(), path, std::move(metadata));
}
inline Metadata load_checkpoint(AnyTrainer& trainer, const std::string& path, OnNonFinite on = OnNonFinite::refuse) {
  Metadata metadata;
  trainer.continue_from(
      together(trainer.ranks(), [&] { return load_checkpoint(trainer.parts(), path, metadata, on); }));
  return metadata;
}

/// A trainer of the model, which must outlive it.
template <class Net, Backend B, class O = AdamW, class C = SingleProcess>
std::unique_ptr<AnyTrainer> make_any_trainer(Model<Net, B>& model, const BasicTrainConfig<O>& config, Seq seq,
                                             C communicator = {}) {
  return std::make_unique<ErasedTrainer<Trainer<Net, B, O, C>>>(model, config, seq, std::move(communicator));
}

}  // namespace rwkv
