#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rwkv/inference/any_decoder.hpp>
#include <rwkv/inference/sampler.hpp>
#include <rwkv/inference/stop.hpp>
#include <rwkv/inference/stop_filter.hpp>
#include <rwkv/text/tokenizer.hpp>

namespace rwkv {

/// Writes with a language model: a Decoder reads, a Sampler draws the next token. No token allocates memory. A copy
/// goes on as the original would; the model must outlive both.
class Generator {
 public:
  /// Everything that what comes next depends on, the sampler included.
  struct Snapshot {
    std::any decoder;
    Sampler sampler;
  };

  /// Only the tokenizer's tokens are ever drawn. Error if the model has fewer, or if the decoder has several sequences.
  Generator(std::unique_ptr<AnyDecoder> decoder, Tokenizer tokenizer, SamplerConfig sampler = {})
      : decoder_(std::move(decoder)),
        tokenizer_(std::move(tokenizer)),
        sampler_(std::move(sampler), tokenizer_.size()),
        drawn_(std::size_t(tokenizer_.size())) {
    if (tokenizer_.size() > decoder_->vocabulary())
      throw Error("Generator: the tokenizer has ", tokenizer_.size(), " tokens, the model knows ",
                  decoder_->vocabulary(), "; use the tokenizer that was saved with the model");
    if (decoder_->batch() != 1)
      throw Error("Generator: expected a decoder of one sequence, found ", decoder_->batch(),
                  "; for a batch, use the decoder and a Sampler for each sequence");
  }
  template <class Net, Backend B>
  Generator(const Model<Net, B>& model, Tokenizer tokenizer, SamplerConfig sampler = {})
      : Generator(make_any_decoder(model), std::move(tokenizer), std::move(sampler)) {}
  /// Of bytes.
  template <class Net, Backend B>
  explicit Generator(const Model<Net, B>& model, SamplerConfig sampler = {})
      : Generator(model, Tokenizer{}, std::move(sampler)) {}
  template <class Net, Backend B, class... More>
  Generator(const Model<Net, B>&& temporary, const More&...) = delete;

  Generator(const Generator& other)
      : decoder_(other.decoder_->clone()),
        tokenizer_(other.tokenizer_),
        sampler_(other.sampler_),
        drawn_(other.drawn_) {}
  Generator(Generator&&) noexcept = default;
  Generator& operator=(const Generator& other) { return *this = Generator(other); }
  Generator& operator=(Generator&&) noexcept = default;

  const Tokenizer& tokenizer() const { return tokenizer_; }
  Sampler& sampler() { return sampler_; }
  /// What has read so far; it goes to a file and comes back by state_file.hpp.
  const AnyDecoder& decoder() const { return *decoder_; }
  AnyDecoder& decoder() { return *decoder_; }
  /// Of the token that comes next; empty where nothing was read yet.
  std::span<const float> logits() const {
    const auto all = decoder_->logits();
    return all.empty() ? all : all.first(drawn_.size());
  }

  /// Reads a text.
  void prefill(std::string_view text) { prefill(tokenizer_.encode(text)); }
  void prefill(std::span<const std::int32_t> ids) { decoder_->prefill(ids); }
  /// Draws the next token and reads it. Where nothing was read yet, token 0 is taken to have come before.
  std::int32_t next() {
    if (decoder_->logits().empty()) feed(0);
    const auto known = logits();
    std::copy(known.begin(), known.end(), drawn_.begin());
    const std::int32_t id = sampler_(drawn_);
    feed(id);
    return id;
  }

  /// Reads the prompt, then writes up to `length` tokens, or until the tokenizer's end of a text; sink(text) gets each
  /// piece as soon as it is whole UTF-8 and cannot be part of a stop text.
  template <class Sink>
  void write(std::string_view prompt, dim_t length, Sink&& sink, const Stop& stop = {}) {
    if (length < 0) throw Error("Generator: expected a length of at least 0 tokens, found ", length);
    prefill(prompt);
    StopFilter text(stop.texts);
    for (dim_t i = 0; i < length && !text.stopped(); ++i) {
      const std::int32_t id = next();
      if (tokenizer_.end_of_text() == id) break;
      if (std::find(stop.tokens.begin(), stop.tokens.end(), id) != stop.tokens.end()) break;
      tokenizer_.append(id, text.pending());
      if (const std::string piece = text.take(); !piece.empty()) sink(std::string_view(piece));
    }
    if (const std::string rest = text.take_rest(); !rest.empty()) sink(std::string_view(rest));
  }
  /// What follows the prompt, as one string.
  std::string operator()(std::string_view prompt, dim_t length, const Stop& stop = {}) {
    std::string all;
    write(
        prompt, length, [&](std::string_view piece) { all += piece; }, stop);
    return all;
  }

  /// Forgets what was read; the sampler goes on.
  void reset() { decoder_->reset(); }
  Snapshot snapshot() const { return {decoder_->snapshot(), sampler_}; }
  void restore(const Snapshot& from) {
    decoder_->restore(from.decoder);
    sampler_ = from.sampler;
  }

 private:
  void feed(std::int32_t id) { decoder_->feed({&id, 1}); }

  std::unique_ptr<AnyDecoder> decoder_;
  Tokenizer tokenizer_;
  Sampler sampler_;
  std::vector<float> drawn_;  // logits that the sampler may change
};

}  // namespace rwkv
