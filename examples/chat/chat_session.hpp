#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/inference/generator.hpp>

#include "chat_template.hpp"

namespace example {

/// A conversation, whose history is the model's state. A value: a copy goes on as the original would.
class ChatSession {
 public:
  struct Settings {
    ChatTemplate format = {};
    std::string system = {};              ///< said before the first round; empty: nothing
    std::vector<std::string> stops = {};  ///< texts that end an answer; empty: those of the format
    rwkv::dim_t tokens = 1000;            ///< the most of an answer
  };

  ChatSession(rwkv::Generator generator, rwkv::SamplerConfig sampler, Settings settings)
      : generator_(std::move(generator)),
        sampler_(std::move(sampler)),
        settings_(std::move(settings)),
        empty_(generator_.snapshot()) {
    if (settings_.stops.empty()) settings_.stops = settings_.format.stops();
    reset();
  }

  /// Forgets all rounds.
  void reset() {
    generator_.restore(empty_);
    round_ = 0;
    before_.reset();
    if (!settings_.system.empty()) generator_.prefill(ChatTemplate::system(settings_.system));
  }
  /// Why the tokenizer cannot read a text; empty where it can.
  std::string refusal(const std::string& text) const try {
    (void)generator_.tokenizer().encode(ChatTemplate::tidy(text), "this line");
    return {};
  } catch (const rwkv::Error& error) {
    return error.what();
  }
  /// Prints "Assistant:" and the answer: sink(text) gets each piece as soon as it is whole. Penalties are for what was
  /// written in this answer.
  template <class Sink>
  void say(const std::string& text, const Sink& sink) {
    before_ = {generator_.snapshot(), text};
    answer(text, sink);
  }
  /// The last answer again, with other draws. False where there was none.
  template <class Sink>
  bool say_again(const Sink& sink) {
    if (!before_) return false;
    generator_.restore(before_->first);
    answer(before_->second, sink);
    return true;
  }

 private:
  template <class Sink>
  void answer(const std::string& text, const Sink& sink) {
    rwkv::SamplerConfig sampler = sampler_;
    sampler.seed += round_++;
    generator_.sampler() = rwkv::Sampler(std::move(sampler), generator_.tokenizer().size());
    generator_.prefill(settings_.format.round(text));
    const auto start = generator_.snapshot();
    sink("Assistant:" + settings_.format.opening());
    const auto end = generator_.tokenizer().end_of_text();
    rwkv::StopFilter shown(settings_.stops);
    std::string written, answer;
    const auto show = [&](const std::string& piece) {
      answer += piece;
      if (!piece.empty()) sink(std::string_view(piece));
    };
    for (rwkv::dim_t i = 0; i < settings_.tokens && !shown.stopped(); ++i) {
      const std::int32_t id = generator_.next();
      if (id == end) break;
      const std::size_t held = shown.pending().size();
      generator_.tokenizer().append(id, shown.pending());
      written += shown.pending().substr(held);
      show(shown.take());
    }
    if (!shown.stopped()) show(shown.take_rest());
    sink("\n\n");
    // The history holds the round as it was shown, whatever the model has written in order to end it.
    if (written == answer + "\n\n") return;
    generator_.restore(start);
    generator_.prefill(ChatTemplate::answered(answer));
  }

  rwkv::Generator generator_;
  rwkv::SamplerConfig sampler_;
  Settings settings_;
  rwkv::Generator::Snapshot empty_;
  std::uint64_t round_ = 0;
  std::optional<std::pair<rwkv::Generator::Snapshot, std::string>> before_;  // the last round
};

}  // namespace example
