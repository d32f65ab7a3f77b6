#pragma once
#include <rwkv/gpu.hpp>
#include <rwkv/inference/decoder.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/models/v7.hpp>
#include <rwkv/training/trainer.hpp>

#include "../weights_read.hpp"
#include "figures.hpp"
#include "noise.hpp"
#include "time.hpp"

// Whole models of 768 channels and 12 layers: a step of training, and a token of decoding as a generator makes it. The
// floor of a step is that of its products and recurrences, of a token that of reading the weights.
namespace bench {

template <class B>
class Training {
  using T = typename B::scalar;
  static constexpr bool is_short = std::is_same_v<T, rwkv::bf16>;
  static constexpr rwkv::dim_t V = 50277, C = 768;
  static constexpr int layers = 12;
  static constexpr rwkv::Seq seq{8, 1024};

 public:
  explicit Training(const Table& table) : table_(table) {}
  void run() const {
    measure<rwkv::v4::Model<V, C, layers>>("RWKV-4");
    measure<rwkv::v7::Model<V, C, layers>>("RWKV-7");
    measure<rwkv::gpt2::Model<V, C, layers, 12, seq.time>>("GPT-2");
  }

 private:
  template <class Net>
  void measure(const std::string& model) const {
    const std::string precision = is_short ? ", bf16" : ", fp32";
    rwkv::Model<Net, B> net{rwkv::Layout<B>{}};
    B::for_each(1, net.params.size(), Noise<T>{net.params.data(), 0.02f});
    table_.note(model + ", training" + precision, step(net), 0, 3 * operations<Net>() * double(seq.tokens()), is_short);
    rwkv::Decoder decoder(net);
    const double read = weights_read(net.params.leaves());
    table_.note(model + ", a token" + precision, milliseconds([&] { decoder.feed(7); }), read, 0, is_short);
  }
  template <class Net>
  static double step(rwkv::Model<Net, B>& net) {
    rwkv::Trainer trainer(net, rwkv::TrainConfig{}, seq);
    rwkv::Minibatch batch;
    batch.seq = seq;
    batch.inputs.resize(std::size_t(seq.tokens()));
    for (std::size_t i = 0; i < batch.inputs.size(); ++i)
      batch.inputs[i] = std::int32_t((i * 2654435761u >> 7) % std::size_t(V));
    batch.targets = batch.inputs;
    return milliseconds([&] { trainer.step(batch); });
  }
  /// Of a token's forward pass. flops_per_token counts a full window of attention, of which the tokens of a sequence
  /// see half.
  template <class Net>
  static constexpr double operations() {
    constexpr double window = rwkv::context_length<Net>, unseen = window > 0 ? window - (seq.time + 1) / 2.0 : 0;
    return double(rwkv::flops_per_token<Net>()) - layers * 4 * C * unseen;
  }

  const Table& table_;
};

}  // namespace bench
