#pragma once
#include <any>
#include <functional>

#include <rwkv/inference/decoder.hpp>
#include <rwkv/inference/decoder_memory.hpp>

namespace rwkv {

/// A Decoder of any language model, chosen at run time: programs that use it are compiled once for all models. See
/// Decoder for what the functions do.
class AnyDecoder {
 public:
  using Each = std::function<void(dim_t token, std::span<const float> logits)>;
  using EachOf = std::function<void(dim_t sequence, dim_t token, std::span<const float> logits)>;
  using Prompts = std::span<const std::span<const std::int32_t>>;

  virtual ~AnyDecoder() = default;
  virtual std::unique_ptr<AnyDecoder> clone() const = 0;  ///< goes on as this one would

  virtual dim_t vocabulary() const = 0;
  virtual dim_t context() const = 0;
  virtual dim_t batch() const = 0;

  virtual std::span<const float> feed(std::span<const std::int32_t> ids) = 0;
  virtual std::span<const float> prefill(std::span<const std::int32_t> ids) = 0;
  virtual void prefill(std::span<const std::int32_t> ids, const Each& each) = 0;
  virtual std::span<const float> prefill(Prompts prompts) = 0;
  virtual void prefill(Prompts prompts, const EachOf& each) = 0;
  virtual std::span<const float> logits() const = 0;

  virtual void reset() = 0;
  virtual std::any snapshot() const = 0;
  virtual void restore(const std::any& snapshot) = 0;  ///< Error unless it is one of the same model and batch
  /// Of the model and of a snapshot: what state_file.hpp needs.
  virtual DecoderMemory memory(std::any& snapshot) const = 0;
};

/// D is a Decoder.
template <class D>
class ErasedDecoder final : public AnyDecoder {
 public:
  explicit ErasedDecoder(D decoder) : decoder_(std::move(decoder)) {}
  std::unique_ptr<AnyDecoder> clone() const override { return std::make_unique<ErasedDecoder>(decoder_); }

  dim_t vocabulary() const override { return decoder_.vocabulary(); }
  dim_t context() const override { return decoder_.context(); }
  dim_t batch() const override { return decoder_.batch(); }

  std::span<const float> feed(std::span<const std::int32_t> ids) override { return decoder_.feed(ids); }
  std::span<const float> prefill(std::span<const std::int32_t> ids) override { return decoder_.prefill(ids); }
  void prefill(std::span<const std::int32_t> ids, const Each& each) override { decoder_.prefill(ids, each); }
  std::span<const float> prefill(Prompts prompts) override { return decoder_.prefill(prompts); }
  void prefill(Prompts prompts, const EachOf& each) override { decoder_.prefill(prompts, each); }
  std::span<const float> logits() const override { return decoder_.logits(); }

  void reset() override { decoder_.reset(); }
  std::any snapshot() const override { return decoder_.snapshot(); }
  void restore(const std::any& snapshot) override {
    const auto* own = std::any_cast<typename D::Snapshot>(&snapshot);
    if (own == nullptr) throw Error("Decoder: expected a snapshot of the same model, found another's or none");
    decoder_.restore(*own);
  }
  DecoderMemory memory(std::any& snapshot) const override {
    return memory_of(decoder_, std::any_cast<typename D::Snapshot&>(snapshot));
  }

 private:
  D decoder_;
};

/// A decoder of the model, which must outlive it.
template <class Net, Backend B>
std::unique_ptr<AnyDecoder> make_any_decoder(const Model<Net, B>& model, dim_t batch = 1) {
  return std::make_unique<ErasedDecoder<Decoder<Net, B>>>(Decoder<Net, B>(model, batch));
}

}  // namespace rwkv
