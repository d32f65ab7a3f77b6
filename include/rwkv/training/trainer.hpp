#pragma once
#include <cmath>
#include <string>

#include <rwkv/core/error.hpp>
#include <rwkv/core/token_buffer.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/ops/cross_entropy.hpp>
#include <rwkv/ops/norm.hpp>
#include <rwkv/text/minibatch.hpp>
#include <rwkv/training/adamw.hpp>
#include <rwkv/training/master.hpp>
#include <rwkv/training/schedule.hpp>

namespace rwkv {

/// How a model is trained.
struct TrainConfig {
  Schedule schedule = {};
  AdamW optimizer = {};
  double clip = 1;     ///< largest norm of the gradient; 0: no limit
  int accumulate = 1;  ///< batches whose gradients are averaged into one update
  double l2wrap = 0;   ///< strength of L2Wrap; the official trainers have official_l2wrap
  bool carry =
      false;  ///< truncated back-propagation through time: a batch that continues starts from the last one's state
  std::uint64_t seed = 0;  ///< of dropout
};

/// A loss or gradient that is no number. Nothing was updated: the model is as it was after the step before.
struct NotFinite : Error {
  dim_t step;
  std::string tensor;
  NotFinite(dim_t at, std::string where)
      : Error("step ", at, ": ", where,
              " is not finite; the parameters are as the step before left them. Resume from the last checkpoint with a "
              "lower learning rate, or look for bad data"),
        step(at),
        tensor(std::move(where)) {}
  NotFinite(const NotFinite& error, const std::string& more)
      : Error(error.what(), more), step(error.step), tensor(error.tensor) {}
};

/// Trains a model on batches: gradients, clipping, AdamW. All memory is taken at construction and in the first step.
/// Gradients, moments and states are in full length, whatever the machine's scalars are; see Master.
template <class Net, Backend B>
requires LanguageModel<Net>
class Trainer {
 public:
  using Gradient = typename Master<Net, B>::Params;
  using State = typename Model<Net, B>::State;

  /// OutOfMemory names the largest batch that there is room for.
  Trainer(Model<Net, B>& model, TrainConfig config, Seq seq)
      : config_(config),
        model_(model),
        master_(model),
        seq_(seq),
        cache_(activations(seq)),
        fresh_(Model<Net, B>::fresh_state(seq.batch)),
        state_(fresh_),
        dstate_({seq.batch, 1}) {}

  Seq seq() const { return seq_; }
  const TrainConfig& config() const { return config_; }
  /// Updates so far.
  dim_t steps() const { return steps_; }
  double learning_rate() const { return config_.schedule(steps_); }
  /// Of the gradient in the last update, before clipping.
  double gradient_norm() const { return norm_; }

  /// One batch: its mean loss in nats per token. Every `accumulate` batches the parameters move.
  double step(const Minibatch& batch) {
    const double loss = accumulate(batch);
    if (gathered_ >= config_.accumulate) update();
    return loss;
  }

  /// Mean loss over n batches of a source, from `first` on; states are carried where batches continue.
  template <BatchSource Source>
  double evaluate(const Source& source, dim_t n, dim_t first = 0) {
    double sum = 0;
    State state = fresh_;
    Minibatch batch;
    context_.dropout.on = false;
    for (dim_t i = first; i < first + n; ++i) {
      source.fill(i, batch);
      check(batch);
      if (!batch.continues || !config_.carry) copy(fresh_, state);
      const auto logits =
          Net::forward(context_, model_.params, inputs_(batch.inputs, seq_), cache_.view(), state.view());
      sum += cross_entropy<B>(context_.scratch, logits, targets_(batch.targets, seq_));
    }
    return n > 0 ? sum / double(n) : 0;
  }

  /// Adds the gradient of one batch's loss / accumulate; returns the loss.
  double accumulate(const Minibatch& batch) {
    check(batch);
    if (!batch.continues || !config_.carry) copy(fresh_, state_);
    context_.dropout = dropout_streams();
    const auto inputs = inputs_(batch.inputs, seq_);
    const auto logits = Net::forward(context_, model_.params, inputs, cache_.view(), state_.view());
    const double loss = cross_entropy_backward<B>(context_.scratch, logits, targets_(batch.targets, seq_),
                                                  1.0 / config_.accumulate, config_.l2wrap);
    if (!std::isfinite(loss)) throw NotFinite(steps_, first_nonfinite(the_loss()));
    dstate_.zero();
    Net::backward(context_, model_.params, cache_.view(), logits, inputs, gradient_.view(), dstate_.view());
    ++gathered_;
    return loss;
  }

  /// Moves the parameters along the gathered gradient, and forgets it.
  void update() {
    gathered_ = 0;
    norm_ = std::sqrt(sum_of_squares<B>(context_.scratch, gradient_.size(), gradient_.data()));
    if (!std::isfinite(norm_)) throw NotFinite(steps_, first_nonfinite("the gradient"));
    const double scale = config_.clip > 0 ? std::min(1.0, config_.clip / (norm_ + 1e-6)) : 1;
    adamw_step<Accum<B>>(config_.optimizer, steps_ + 1, learning_rate(), scale, master_.params(), gradient_, m_, v_);
    master_.write_back();
    ++steps_;
  }

  /// f(name, part) for everything the next step depends on besides its number: what a checkpoint holds, in full length
  /// and so the same for every machine.
  template <class F>
  void for_each_part(F&& f) {
    f("model.", master_.params());
    f("adam.m.", m_);
    f("adam.v.", v_);
    f("state.", state_);
  }
  /// The parts have been replaced by those after so many updates.
  void continue_from(dim_t steps) {
    steps_ = steps, gathered_ = 0;
    master_.write_back();
    gradient_.zero();
  }

  Gradient& gradient() { return gradient_; }
  State& state() { return state_; }

 private:
  using Activations = Owned<B, typename Model<Net, B>::Cache>;

  static Activations activations(Seq seq) {
    try {
      return Activations(seq);
    } catch (const OutOfMemory& error) {
      const auto fits = [&](dim_t batch) {
        return std::size_t(bytes<typename Model<Net, B>::Cache>({batch, seq.time})) <= error.free;
      };
      dim_t batch = seq.batch;
      while (batch > 0 && !fits(batch)) --batch;
      throw OutOfMemory(error.bytes, error.free, error.what(), "; of sequences of ", seq.time,
                        " tokens there is room for the activations of ", batch);
    }
  }
  /// That of the next batch, which its number decides: a resumed run goes on as if it had not stopped.
  DropoutStreams dropout_streams() const {
    const auto number = static_cast<std::uint64_t>(steps_ * config_.accumulate + gathered_);
    return {true, {Random{config_.seed}.named("chance").bits(number)}};
  }
  static void copy(const State& from, State& to) { Accum<B>::copy(to.data(), from.data(), from.size()); }

  void check(const Minibatch& batch) const {
    if (batch.seq != seq_)
      throw Error("Trainer: expected batches of ", seq_.batch, " x ", seq_.time, " tokens, found ", batch.seq.batch,
                  " x ", batch.seq.time);
    if (state_.seq().batch != seq_.batch)
      throw Error("Trainer: expected a state of ", seq_.batch, " sequences, found one of ", state_.seq().batch,
                  "; make it with fresh_state(", seq_.batch, ")");
    for (const auto* ids : {&batch.inputs, &batch.targets})
      for (const auto id : *ids)
        if (id < 0 || id >= vocabulary<Net>)
          throw Error("Trainer: token ", id, " is outside the model's vocabulary of ", vocabulary<Net>,
                      "; train with the tokenizer that the model was made for");
  }

  /// What a loss that is no number is called. A machine that is not waited for cannot refuse a context that is full.
  std::string the_loss() const {
    if constexpr (asynchronous<B> && requires { Net::context; })
      if (config_.carry || seq_.time > Net::context)
        return "the loss (of sequences of more than " + std::to_string(Net::context) + " tokens, its context?)";
    return "the loss";
  }
  /// The first tensor that holds something not finite, or `otherwise`.
  std::string first_nonfinite(const std::string& otherwise) {
    for (const auto& [what, bundle] :
         {std::pair{"parameter ", &master_.params()}, std::pair{"gradient of ", &gradient_}})
      for (const Leaf& leaf : bundle->leaves())
        if (!std::isfinite(sum_of_squares<B>(context_.scratch, leaf.size, bundle->data() + leaf.offset)))
          return otherwise + ", with " + what + leaf.name + ",";
    return otherwise;
  }

  TrainConfig config_;
  Model<Net, B>& model_;
  Master<Net, B> master_;
  Seq seq_;
  Context<B> context_;
  TokenBuffer<B> inputs_, targets_;
  Gradient gradient_, m_, v_;
  Activations cache_;
  State fresh_, state_, dstate_;
  dim_t steps_ = 0;
  int gathered_ = 0;
  double norm_ = 0;
};

}  // namespace rwkv
