#pragma once
#include <rwkv/gpu.hpp>
#include <rwkv/inference/decoder.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/models/v7.hpp>
#include <rwkv/training/trainer.hpp>

#include "figures.hpp"
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
  using Rwkv = rwkv::v4::Model<V, C, layers>;
  using Rwkv7 = rwkv::v7::Model<V, C, layers>;
  using Gpt2 = rwkv::gpt2::Model<V, C, layers, 12, 1024>;

 public:
  explicit Training(Table& table) : table_(table) {}
  void run() {
    step<Rwkv>("RWKV-4");
    step<Rwkv7>("RWKV-7");
    step<Gpt2>("GPT-2");
    token<Rwkv>("RWKV-4");
    token<Rwkv7>("RWKV-7");
    token<Gpt2>("GPT-2");
  }

 private:
  static std::string name(const char* model, const char* what) {
    return std::string(model) + ", " + what + (is_short ? ", bf16" : ", fp32");
  }
  template <class Net>
  void step(const char* model) {
    constexpr rwkv::Seq seq{8, 1024};
    rwkv::Model<Net, B> net(1);
    rwkv::Trainer trainer(net, rwkv::TrainConfig{}, seq);
    rwkv::Minibatch batch;
    batch.seq = seq;
    batch.inputs.resize(std::size_t(seq.tokens()));
    for (std::size_t i = 0; i < batch.inputs.size(); ++i)
      batch.inputs[i] = std::int32_t((i * 2654435761u >> 7) % std::size_t(V));
    batch.targets = batch.inputs;
    const double operations = 3.0 * double(rwkv::flops_per_token<Net>()) * double(seq.tokens());
    table_.note(name(model, "training"), in_blocks, milliseconds([&] { trainer.step(batch); }), 0, operations,
                is_short);
  }
  template <class Net>
  void token(const char* model) {
    rwkv::Model<Net, B> net(1);
    rwkv::Decoder decoder(net);
    const auto next = [&] { decoder.feed(7); };
    const double read = double(sizeof(T)) * double(rwkv::parameters<Net>() - rwkv::parameters<rwkv::Embedding<V, C>>());
    table_.note(name(model, "a token"), in_blocks, milliseconds(next), read);
  }

  Table& table_;
};

}  // namespace bench
