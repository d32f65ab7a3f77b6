#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/backend/graph_cache.hpp>
#include <rwkv/core/token_buffer.hpp>
#include <rwkv/inference/sampler.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/text/tokenizer.hpp>

namespace rwkv {

namespace detail {
inline constexpr dim_t endless = dim_t(1) << 62;
/// How many tokens a model can have read.
template <class Net>
constexpr dim_t longest_context() {
  if constexpr (requires { Net::context; })
    return Net::context;
  else
    return endless;
}
template <class Net>
inline constexpr dim_t context_of = longest_context<Net>();
}  // namespace detail

/// Writes with a language model. The State is all it remembers of the text so far: a value to copy, compare, save,
/// load. A prompt is read in chunks, then every token costs one step; no token allocates memory, and a machine that can
/// record calls launches a step as one. A model with a longest context (`context`) that is full begins anew with the
/// last half of it.
template <class Net, Backend B>
requires LanguageModel<Net>
class Generator {
 public:
  using State = typename Model<Net, B>::State;
  static constexpr dim_t chunk = detail::context_of<Net> < 128 ? (detail::context_of<Net> + 1) / 2
                                                               : 64;  ///< tokens of a prompt that are read at once

  /// The tokenizer's tokens are the only ones that are ever drawn. Error if the model knows fewer.
  Generator(Model<Net, B>& model, Tokenizer tokenizer, SamplerConfig sampler = {})
      : model_(model),
        tokenizer_(std::move(tokenizer)),
        sampler_(std::move(sampler), tokenizer_.size()),
        state_(Model<Net, B>::fresh_state()),
        one_(1),
        many_(chunk),
        scalars_(std::size_t(vocabulary<Net>)),
        logits_(std::size_t(tokenizer_.size())),
        drawn_(logits_.size()) {
    if (tokenizer_.size() > vocabulary<Net>)
      throw Error("Generator: the tokenizer has ", tokenizer_.size(), " tokens, the model knows ", vocabulary<Net>,
                  "; use the tokenizer that was saved with the model");
    context_.needs_backward = false;
    if constexpr (limited) last_.reserve(static_cast<std::size_t>(detail::context_of<Net>));
  }
  explicit Generator(Model<Net, B>& model, SamplerConfig sampler = {})
      : Generator(model, Tokenizer{}, std::move(sampler)) {}

  /// Whoever holds it may put another past there, so a model with a longest context no longer knows its last tokens:
  /// when it is full next, that is an Error instead of a wrong beginning.
  State& state() {
    last_.clear();
    return state_;
  }
  const State& state() const { return state_; }
  Sampler& sampler() { return sampler_; }
  /// Of the next token, as the last one read left them.
  std::span<const float> logits() const { return logits_; }

  /// Reads a text: afterwards logits() are those of the token that follows it.
  void read(std::string_view text) { read(tokenizer_.encode(text)); }
  void read(std::span<const std::int32_t> tokens) {
    for (const auto id : tokens)
      if (id < 0 || id >= vocabulary<Net>)
        throw Error("Generator: token ", id, " is outside the model's vocabulary of ", vocabulary<Net>);
    for (; dim_t(tokens.size()) >= chunk; tokens = tokens.subspan(chunk)) follow(tokens.first(chunk), many_);
    for (; !tokens.empty(); tokens = tokens.subspan(1)) follow(tokens.first(1), one_);
  }
  /// Draws the next token and reads it. Where nothing was read yet, token 0 is taken to have come before.
  std::int32_t next() {
    if (!started_) {
      constexpr std::int32_t first = 0;
      follow({&first, 1}, one_);
    }
    std::copy(logits_.begin(), logits_.end(), drawn_.begin());
    const std::int32_t id = sampler_(drawn_);
    follow({&id, 1}, one_);
    return id;
  }

  /// Reads the prompt, then writes `length` tokens; sink(text) gets each piece as soon as it is whole UTF-8.
  template <class Sink>
  void write(std::string_view prompt, dim_t length, Sink&& sink) {
    read(prompt);
    std::string text;
    for (dim_t i = 0; i < length; ++i) {
      tokenizer_.append(next(), text);
      if (const std::size_t whole = whole_utf8(text); whole > 0) {
        sink(std::string_view(text).substr(0, whole));
        text.erase(0, whole);
      }
    }
    if (!text.empty()) sink(std::string_view(text));
  }
  /// What follows the prompt, as one string.
  std::string operator()(std::string_view prompt, dim_t length) {
    std::string all;
    write(prompt, length, [&](std::string_view piece) { all += piece; });
    return all;
  }

 private:
  /// So many tokens at once, always with the same memory.
  struct Reader {
    Owned<B, typename Net::template Cache<B>> cache;
    TokenBuffer<B> ids = {};
    GraphCache<B> calls = {};
    const typename B::scalar* logits = nullptr;
    explicit Reader(dim_t tokens) : cache({1, tokens}) {}
  };

  static constexpr bool limited = detail::context_of<Net> < detail::endless;

  /// A step, after making room for it.
  void follow(std::span<const std::int32_t> tokens, Reader& reader) {
    if constexpr (limited) {
      if (dim_t(last_.size() + tokens.size()) > detail::context_of<Net>) {
        const auto kept = std::min<std::size_t>(last_.size(), std::size_t(detail::context_of<Net>) / 2);
        last_.erase(last_.begin(), last_.end() - std::ptrdiff_t(kept));
        state_.reset();
        for (const std::int32_t& id : last_) step({&id, 1}, one_);
      }
      last_.insert(last_.end(), tokens.begin(), tokens.end());
    }
    step(tokens, reader);
  }
  void step(std::span<const std::int32_t> tokens, Reader& reader) {
    if (state_.seq().batch != 1)
      throw Error("Generator: expected a state of 1 sequence, found one of ", state_.seq().batch,
                  "; make it with fresh_state()");
    const Seq seq{1, dim_t(tokens.size())};
    const auto ids = reader.ids(tokens, seq);
    reader.calls({model_.params.data(), state_.data()}, [&] {
      reader.logits = Net::forward(context_, model_.params, ids, reader.cache.view(), state_.view()).data;
    });
    B::download(scalars_.data(), reader.logits + (seq.time - 1) * vocabulary<Net>, vocabulary<Net>);
    std::copy_n(scalars_.begin(), logits_.size(), logits_.begin());
    started_ = true;
  }
  /// Bytes up to the last character that is complete.
  static std::size_t whole_utf8(std::string_view text) {
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
      const auto byte = static_cast<unsigned char>(text[text.size() - back]);
      if (byte < 0x80) break;
      if (byte >= 0xC0) {
        const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
        return length > back ? text.size() - back : text.size();
      }
    }
    return text.size();
  }

  Model<Net, B>& model_;
  Tokenizer tokenizer_;
  Sampler sampler_;
  State state_;
  Reader one_, many_;
  Context<B> context_;
  std::vector<typename B::scalar> scalars_;
  std::vector<float> logits_, drawn_;
  std::vector<std::int32_t> last_;  // of a model whose context is limited: the tokens that state_ has seen
  bool started_ = false;
};

}  // namespace rwkv
