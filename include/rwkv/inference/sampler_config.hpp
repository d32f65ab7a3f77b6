#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/config.hpp>
#include <rwkv/core/ranges.hpp>

namespace rwkv {

/// How the next token is drawn. By default: from the model's own distribution. In the order of the official pipeline:
/// penalties and bans change the logits, top_p and top_k cut, each by the probabilities before any cut, then the
/// temperature is applied to what is left. All of it is computed from the logits in double precision; where only
/// some of equally likely tokens can stay, the lowest numbers do.
struct SamplerConfig {
  double temperature = 1;  ///< probabilities to the power of 1 / temperature, after the cuts; 0: the likeliest token
  double top_p = 1;        ///< keeps the likeliest tokens that sum to this, and those as likely as the last; 1: all
  dim_t top_k = 0;         ///< keeps the k likeliest; 0: all

  double presence = 0;           ///< subtracted from the logit of every token that was written before
  double frequency = 0;          ///< subtracted once more for each time it was written
  double penalty_decay = 0.996;  ///< counts are multiplied by this at every token

  std::vector<std::int32_t> banned = {};     ///< never drawn
  std::vector<std::int32_t> uncounted = {};  ///< only the presence penalty applies

  std::uint64_t seed = 0;

  /// The defaults of ChatRWKV's pipeline.
  static SamplerConfig official(std::uint64_t seed = 0) {
    SamplerConfig made;
    made.top_p = 0.85;
    made.presence = made.frequency = 0.2;
    made.seed = seed;
    return made;
  }
  /// The same, for a tokenizer: digits and blanks (any piece of " \t0123456789") are uncounted, as there; of World's
  /// tokens these are 22.
  template <class Tokenizer>
  requires requires(const Tokenizer& t, std::string& out) { t.append(std::int32_t(t.size()), out); }
  static SamplerConfig official(const Tokenizer& tokenizer, std::uint64_t seed = 0) {
    SamplerConfig made = official(seed);
    std::string text;
    for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
      text.clear();
      tokenizer.append(id, text);
      const bool piece = std::string_view(" \t0123456789").find(text) != std::string_view::npos;
      if (piece && !text.empty()) made.uncounted.push_back(id);
    }
    return made;
  }
  /// Error unless every setting lies within its range.
  [[gnu::cold, gnu::noinline]] void check() const {
    const detail::Ranges ranges("sampler", "; SamplerConfig{} and SamplerConfig::official() are good starts");
    ranges.at_least_0("temperature", temperature);
    ranges.expect(top_p >= 0 && top_p <= 1, "top_p", "from 0 to 1", top_p);
    ranges.at_least(0, "top_k", top_k);
    ranges.expect(ranges.finite(presence), "presence", "to be a number", presence);
    ranges.expect(ranges.finite(frequency), "frequency", "to be a number", frequency);
    ranges.expect(penalty_decay >= 0 && penalty_decay <= 1, "penalty_decay", "from 0 to 1", penalty_decay);
  }
  friend bool operator==(const SamplerConfig&, const SamplerConfig&) = default;
};

}  // namespace rwkv
