#pragma once
#include <memory>

#include <rwkv/inference/any_decoder.hpp>
#include <rwkv/io/layout_as_stored.hpp>
#include <rwkv/io/load.hpp>
#include <rwkv/io/save.hpp>
#include <rwkv/training/any_trainer.hpp>

namespace rwkv {

struct RegisteredNet;

/// What a model begins with: initial values from a seed, or zeros without one, and matrices that are not the machine's
/// scalars.
struct NewModel {
  std::optional<std::uint64_t> seed = {};
  Storages storages = {};

  NewModel() = default;
  NewModel(std::uint64_t of, Storages stored = {}) : seed(of), storages(std::move(stored)) {}
  explicit NewModel(Storages stored) : storages(std::move(stored)) {}
};

/// A Model of any registered net on any machine, chosen at run time: programs that use it are compiled once.
class AnyModel {
 public:
  explicit AnyModel(const RegisteredNet& net) : net_(net) {}
  virtual ~AnyModel() = default;

  const RegisteredNet& net() const { return net_; }
  /// Of the file that it was opened from, such as its tokenizer.
  const Metadata& metadata() const { return metadata_; }

  virtual BundleMemory parameters() const = 0;
  /// From a file in any format and naming that we read; Error, and nothing changed, if it does not fit.
  void load(const TensorSource& source, OnNonFinite on = OnNonFinite::refuse) {
    metadata_ = rwkv::load(parameters(), OfficialSource(source), on);
  }
  /// With the metadata that it was opened with, and what is added here.
  void save(const std::string& path, const Metadata& more = {}) const;
  dim_t bytes() const {
    dim_t all = 0;
    for (const Leaf& leaf : parameters().leaves) all += leaf.bytes();
    return all;
  }

  /// The model must outlive what these return.
  virtual std::unique_ptr<AnyTrainer> trainer(const TrainConfig& config, Seq seq, AnyCommunicator ranks = {}) = 0;
  virtual std::unique_ptr<AnyDecoder> decoder(dim_t batch = 1) const = 0;

  /// Multiplies all parameters that decay.
  virtual void scale_weights(float factor) = 0;

 private:
  const RegisteredNet& net_;
  Metadata metadata_;
};

namespace detail {

template <class Net, class B>
class ModelOf final : public AnyModel {
 public:
  ModelOf(const RegisteredNet& net, const NewModel& as) : AnyModel(net), model_(layout_of<B>(as.storages)) {
    if (as.seed) model_.params.reset(*as.seed);
  }

  BundleMemory parameters() const override { return memory_of(model_.params); }
  std::unique_ptr<AnyTrainer> trainer(const TrainConfig& config, Seq seq, AnyCommunicator ranks) override {
    return make_any_trainer(model_, config, seq, std::move(ranks));
  }
  std::unique_ptr<AnyDecoder> decoder(dim_t batch) const override { return make_any_decoder(model_, batch); }
  void scale_weights(float factor) override {
    for (const Leaf& leaf : model_.params.leaves())
      if (leaf.storage != storage_of<typename B::scalar>)
        throw Error("scale_weights: expected all tensors as ", name_of(storage_of<typename B::scalar>), ", found ",
                    leaf.name, " stored as ", name_of(leaf.storage), "; open the model with its own weights");
    auto weights = model_.params.download();
    for (const Leaf& leaf : model_.params.leaves())
      if (leaf.field.decays)
        for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i) {
          auto& w = weights[static_cast<std::size_t>(i)];
          w = static_cast<typename B::scalar>(factor * w);
        }
    B::upload(model_.params.data(), weights.data(), model_.params.size());
  }

 private:
  Model<Net, B> model_;
};

}  // namespace detail
}  // namespace rwkv
