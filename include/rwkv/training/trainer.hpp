#pragma once
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <rwkv/ops/copy.hpp>
#include <rwkv/ops/cross_entropy.hpp>
#include <rwkv/training/evaluate.hpp>
#include <rwkv/training/first_text.hpp>
#include <rwkv/training/not_finite.hpp>
#include <rwkv/training/own_rows.hpp>
#include <rwkv/training/rows_of.hpp>
#include <rwkv/training/train_config.hpp>
#include <rwkv/training/updater.hpp>

namespace rwkv {

/// Trains a model on batches: forward, backward, clipping, a step of the optimizer. All memory is taken at construction
/// and in the first step. Gradients, states and what the optimizer remembers are in full precision on every machine;
/// see Master. Of several ranks, each has a Trainer with the same weights, config and Seq, which it takes on trust, and
/// makes the same calls on its rows of every batch: together they do what one alone would, up to rounding.
template <class Net, Backend B, class O = AdamW, class C = SingleProcess>
class Trainer {
 public:
  using scalar = typename B::scalar;
  using Gradient = typename Updater<Net, B, O>::Gradient;
  using State = typename Model<Net, B>::State;
  using Input = TensorOf<B, typename Net::In>;
  static_assert(Optimizer<O, Accum<B>>);
  static_assert(Communicator<C, Accum<B>>);

  /// `seq`: of the batch of all ranks together. OutOfMemory names the largest batch that fits. Error for settings or
  /// sizes out of their range, and if matrices are stored in a format that cannot be trained.
  Trainer(Model<Net, B>& model, BasicTrainConfig<O> config, Seq seq, C communicator = {})
      : config_((config.check(), std::move(config))),
        communicator_(std::move(communicator)),
        model_(trainable(model)),
        seq_(seq),
        rows_(rows_of(seq.batch, communicator_.rank(), communicator_.size())),
        updater_(model, communicator_, config_.sharded, config_.bf16_gradients),
        work_({rows_.size, seq.time}),
        state_(work_.fresh),
        dstate_({rows_.size, 1}) {}

  Model<Net, B>& model() { return model_; }
  const BasicTrainConfig<O>& config() const { return config_; }
  C& communicator() { return communicator_; }
  const C& communicator() const { return communicator_; }
  /// Of the batch of all ranks.
  Seq seq() const { return seq_; }
  /// Which sequences of the batch are this rank's.
  Share rows() const { return rows_; }
  /// Another schedule from the next step on, as after NotFinite.
  void set_schedule(const Schedule& schedule) { config_.schedule = schedule; }
  /// Updates so far.
  dim_t steps() const { return steps_; }
  double learning_rate() const { return config_.schedule(steps_); }
  /// Of the gradient in the last update, before clipping.
  double gradient_norm() const { return norm_; }

  /// One batch of a language model, or this rank's rows of it: the mean loss of the batch in nats per token. Every
  /// `accumulate` batches the parameters move.
  double step(const Minibatch& batch) requires LanguageModel<Net> { return updated(accumulate(batch)); }
  /// This rank's rows of a batch of any model, with a loss of your own: see accumulate.
  template <class Loss>
  double step(Input x, const Loss& loss, bool continues = false) {
    return updated(accumulate(x, loss, continues));
  }

  /// Mean loss of a language model over n batches of a source, from `first` on, without dropout.
  template <BatchSource Source>
  double evaluate(const Source& source, dim_t n, dim_t first = 0) {
    return mean(evaluate_rows(source, n, first));
  }
  /// The same of this rank's rows, for which it waits for no other.
  template <BatchSource Source>
  double evaluate_rows(const Source& source, dim_t n, dim_t first = 0) {
    return rwkv::evaluate(work_, model_, OwnRows<Source>{source, seq_, rows_}, n, first, config_.carry);
  }

  /// Adds the gradient of one batch's loss / accumulate; returns the loss.
  double accumulate(const Minibatch& whole) requires LanguageModel<Net> {
    const Minibatch& batch = own(whole);
    expect_batch(batch, work_.seq, vocabulary<Net>);
    const auto inputs = work_.inputs(batch.inputs, work_.seq);
    const auto targets = work_.targets(batch.targets, work_.seq);
    return backward(inputs, batch.continues, [&](auto logits, double weight) {
      return std::pair(cross_entropy_backward<B>(work_.context.scratch, logits, targets, weight, config_.l2wrap),
                       logits);
    });
  }
  /// The same for any signal and loss. `loss(Scratch<B>&, TensorOf<B, Net::Out> y, double weight)` returns the mean
  /// loss of the outputs y and overwrites them with its gradient times `weight`, as SquaredError does. `continues`: the
  /// sequences go on where those of the batch before ended, which matters where the state is carried.
  template <class Loss>
  double accumulate(Input x, const Loss& loss, bool continues = false) {
    if (seq_of(x) != work_.seq)
      throw Error("Trainer: expected a signal of ", rows_.size, " x ", seq_.time, " tokens, found ", seq_of(x).batch,
                  " x ", seq_of(x).time);
    auto& scratch = work_.context.scratch;
    const auto frame = scratch.frame();
    return backward(x, continues, [&](auto y, double weight) {
      const auto dy = scratch.template take<typename Net::Out>(work_.seq);  // the last layer may still need its outputs
      copy<B>(y, dy);
      return std::pair(double(loss(scratch, dy, weight)), dy);
    });
  }

  /// Moves the parameters by a step of the optimizer along the accumulated gradient, and sets that to zero. NotFinite
  /// if the gradient is not: then everything is as after `rewind`.
  void update() {
    const double norm = updater_.add_up(communicator_, work_.context.scratch);
    if (!std::isfinite(norm)) refuse("the gradient");
    norm_ = norm;
    const double scale = config_.clip > 0 ? std::min(1.0, config_.clip / (norm_ + 1e-6)) : 1;
    updater_.step(config_.optimizer, {steps_ + 1, learning_rate(), scale}, communicator_);
    ++steps_;
    gathered_ = 0, begun_ = false;
  }
  /// Forgets the batches since the last update: gradient and carried state are as that left them.
  void rewind() {
    gradient().zero();
    if (begun_ && config_.carry) state_ = *before_;
    gathered_ = 0, begun_ = false;
  }

  /// Everything the next step depends on besides its number: what a checkpoint holds, in full precision and so the same
  /// for every machine. Valid until the next call.
  CheckpointParts parts() {
    auto all = updater_.parts();
    state_leaves_ = cut_to_rows(state_.leaves(), rows_, seq_.batch);
    all.push_back({"state.", memory_of<Accum<B>>(state_leaves_, state_.data())});
    if (communicator_.size() > 1)
      all.back().share = [this](std::size_t i, int rank) {
        const dim_t n = state_leaves_[i].size;
        return Share{n * rank, n};
      };
    return all;
  }
  /// To be called when the parts have been replaced by those after so many updates.
  void continue_from(dim_t steps) {
    steps_ = steps, gathered_ = 0, begun_ = false;
    updater_.write_back(communicator_);
    gradient().zero();
  }

  /// Of the mean loss by the parameters, accumulated since the last update; of this rank alone.
  Gradient& gradient() { return updater_.gradient(); }
  /// In which the last batch, this rank's rows of it, ended.
  State& state() { return state_; }
  /// Of the last batch's loss / accumulate by the state in which that batch began.
  const State& state_gradient() const { return dstate_; }

 private:
  static Model<Net, B>& trainable(Model<Net, B>& model) {
    constexpr Storage own = storage_of<typename B::scalar>;
    for (const Leaf& leaf : model.params.leaves())
      if (leaf.storage != own)
        throw Error("Trainer: expected all tensors as ", name_of(own), ", which are trained, found ", leaf.name,
                    " stored as ", name_of(leaf.storage), "; load the model without formats for its matrices");
    return model;
  }
  const Minibatch& own(const Minibatch& batch) {
    if (rows_.size == seq_.batch || batch.seq != seq_) return batch;
    take_rows(batch, rows_.first, rows_.size, own_batch_);
    return own_batch_;
  }
  /// Over all ranks.
  double mean(double x) {
    communicator_.template sum<Cpu<double>>(&x, 1);
    return x / communicator_.size();
  }
  double updated(double loss) {
    if (gathered_ >= config_.accumulate) update();
    return loss;
  }
  /// head(y, weight) -> the loss and its gradient by y times the weight.
  template <class Head>
  double backward(Input x, bool continues, const Head& head) {
    if (state_.seq().batch != rows_.size)
      throw Error("Trainer: expected a state of ", rows_.size, " sequences, found one of ", state_.seq().batch,
                  "; make it with fresh_state(", rows_.size, ")");
    if (!std::exchange(begun_, true) && config_.carry) before_ = state_;
    if (!continues || !config_.carry) work_.restart(state_);
    work_.context.dropout = dropout_streams();
    const auto y = work_.forward(model_, x, state_);
    const auto [own_loss, dy] = head(y, 1.0 / (config_.accumulate * communicator_.size()));
    const double loss = mean(own_loss);
    if (!std::isfinite(loss)) refuse(the_loss());
    auto& scratch = work_.context.scratch;
    const auto frame = scratch.frame();
    const auto dx = scratch.template take<typename Net::In>(work_.seq);
    dstate_.zero();
    Net::backward(work_.context, model_.params, work_.cache.view(), dy, dx, gradient().view(), dstate_.view());
    ++gathered_;
    return loss;
  }

  /// Those of the next batch depend on its number alone: a resumed run goes on as if it had not stopped.
  DropoutStreams dropout_streams() const {
    const auto number = static_cast<std::uint64_t>(steps_ * config_.accumulate + gathered_);
    return {true, {Random{config_.seed}.named("chance").bits(number)}, std::uint64_t(rows_.first * seq_.time)};
  }
  /// What a loss that is not finite is called. An asynchronous machine cannot refuse a context that is full.
  std::string the_loss() const {
    if constexpr (asynchronous<B> && requires { Net::context; })
      if (config_.carry || seq_.time > Net::context)
        return "the loss (of sequences of more than " + std::to_string(Net::context) + " tokens, its context?)";
    return "the loss";
  }
  /// Throws NotFinite in all ranks, as if the batches since the last update had not been.
  [[noreturn]] void refuse(const std::string& what) {
    const NotFinite error(steps_, what + first_text(communicator_, nonfinite_tensor()),
                          "the parameters are as the step before left them");
    rewind();
    throw error;
  }
  /// ", with" the first tensor that holds something not finite, if any.
  std::string nonfinite_tensor() {
    const auto where = [&](const char* kind, const BundleMemory& memory) {
      for (const Leaf& leaf : memory.leaves) {
        const auto* numbers = reinterpret_cast<const typename Accum<B>::scalar*>(memory.of(leaf));
        if (!std::isfinite(sum_of_squares<B>(work_.context.scratch, leaf.size, numbers)))
          return std::string(", with ") + kind + leaf.name + ",";
      }
      return std::string();
    };
    const std::string found = where("parameter ", updater_.parts().front().own);
    return found.empty() ? where("gradient of ", memory_of(gradient())) : found;
  }

  BasicTrainConfig<O> config_;
  C communicator_;
  Model<Net, B>& model_;
  Seq seq_;
  Share rows_;
  Updater<Net, B, O> updater_;
  Workspace<Net, B> work_;
  State state_, dstate_;
  std::vector<Leaf> state_leaves_;
  Minibatch own_batch_;          // where a whole one was given
  std::optional<State> before_;  // the carried state in which the batches since the last update began
  bool begun_ = false;           // there are such batches
  dim_t steps_ = 0;
  int gathered_ = 0;  // batches since the last update
  double norm_ = 0;
};

}  // namespace rwkv
