#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// How the next token is drawn. By default: from the model's own distribution.
struct SamplerConfig {
  double temperature = 1;  ///< probabilities to the power of 1 / temperature, after the cuts; 0: the likeliest token
  double top_p = 1;        ///< keeps the likeliest tokens that sum to this, and those as likely as the last of them
  dim_t top_k = 0;         ///< keeps the k likeliest, of equally likely ones the lower number; 0: all

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
  /// The same, for a tokenizer: digits and blanks (any piece of " \t0123456789") are uncounted, as there.
  template <class Tokenizer>
  requires requires(const Tokenizer& t, std::string& out) { t.append(std::int32_t(t.size()), out); }
  static SamplerConfig official(const Tokenizer& tokenizer, std::uint64_t seed = 0) {
    SamplerConfig made = official(seed);
    std::string text;
    for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
      text.clear();
      tokenizer.append(id, text);
      if (std::string_view(" \t0123456789").find(text) != std::string_view::npos) made.uncounted.push_back(id);
    }
    return made;
  }
  friend bool operator==(const SamplerConfig&, const SamplerConfig&) = default;
};

}  // namespace rwkv
