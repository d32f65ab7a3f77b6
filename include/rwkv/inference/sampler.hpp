#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/core/lanes.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/core/random.hpp>
#include <rwkv/inference/sampler_config.hpp>

namespace rwkv {

/// Draws one token after another: holds a SamplerConfig, the counts of what was written so far, and a position in a
/// stream of random numbers. A value: a copy goes on exactly as the original would. The same logits give the same
/// tokens on every machine, except for a draw that falls within rounding (1e-15) of the border between two tokens.
class Sampler {
 public:
  /// Error if an option lies outside its range, or a listed token outside the vocabulary.
  Sampler(SamplerConfig config, dim_t vocabulary)
      : config_(std::move(config)), random_(Random{config_.seed}.named("sampler")) {
    config_.check();
    detail::Ranges("sampler").expect(vocabulary > 0, "a vocabulary", "of at least one token", vocabulary);
    occurrences_.assign(static_cast<std::size_t>(vocabulary), never);
    for (const auto* list : {&config_.banned, &config_.uncounted})
      for (const std::int32_t token : *list) expect_token(token);
    seen_.reserve(occurrences_.size());
    order_.resize(occurrences_.size());
    odds_.resize(occurrences_.size() + native_width<double> - 1);  // room for a whole last register
  }

  const SamplerConfig& config() const { return config_; }
  dim_t vocabulary() const { return static_cast<dim_t>(occurrences_.size()); }
  std::uint64_t position() const { return position_; }  ///< tokens drawn so far

  /// The next token, which is then counted as written. The penalties stay in the logits. A token of logit -infinity is
  /// never drawn. Error for NaN and +infinity, if all are -infinity, and for another number of logits.
  std::int32_t operator()(std::span<float> logits) {
    expect_size(logits);
    penalise(logits);
    const std::int32_t token = draw(logits, random_.uniform(position_));
    ++position_;
    observe(token);
    return token;
  }

  /// The probability of each token to be drawn next from the same logits, in double. Draws and counts nothing; the
  /// penalties stay in the logits. Errors as above.
  void probabilities(std::span<float> logits, std::span<double> out) {
    expect_size(logits);
    if (out.size() != logits.size())
      throw Error("sampler: expected room for ", logits.size(), " probabilities, found ", out.size());
    penalise(logits);
    const auto [kept, total] = odds(logits);
    std::fill(out.begin(), out.end(), 0.0);
    for (std::size_t n = 0; n < kept.size(); ++n) out[index(kept[n])] = odds_[n] / total;
  }

  /// Counts a token as written. Drawn tokens are counted already; call it for those of a prompt to penalise them too
  /// (the official pipeline does not).
  void observe(std::int32_t token) {
    expect_token(token);
    for (const std::int32_t other : seen_) occurrences_[index(other)] *= config_.penalty_decay;
    double& count = occurrences_[index(token)];
    if (count == never) seen_.push_back(token), count = 0;
    if (std::ranges::find(config_.uncounted, token) == config_.uncounted.end()) count += 1;
  }

  friend bool operator==(const Sampler& a, const Sampler& b) {
    return a.config_ == b.config_ && a.occurrences_ == b.occurrences_ && a.position_ == b.position_;
  }

 private:
  static constexpr double never = -1;
  static std::size_t index(std::int32_t token) { return static_cast<std::size_t>(token); }

  void expect_token(std::int32_t token) const {
    if (token < 0 || token >= vocabulary())
      throw Error("sampler: expected tokens from 0 to ", vocabulary() - 1, ", found ", token,
                  "; use the tokenizer that was saved with the model");
  }
  void expect_size(std::span<const float> logits) const {
    if (logits.size() != occurrences_.size())
      throw Error("sampler: expected ", occurrences_.size(), " logits, found ", logits.size(),
                  "; give the Sampler the vocabulary of the model");
  }
  void penalise(std::span<float> logits) const {
    for (const std::int32_t token : config_.banned) logits[index(token)] = -std::numeric_limits<float>::infinity();
    for (const std::int32_t token : seen_)
      logits[index(token)] -= static_cast<float>(config_.presence + occurrences_[index(token)] * config_.frequency);
  }
  /// The first of the largest logits.
  static std::size_t likeliest(std::span<const float> logits) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      if (!(logits[i] < std::numeric_limits<float>::infinity()))
        throw Error("sampler: expected numbers as logits, found ", (logits[i] > 0 ? "+infinity" : "NaN"), " for token ",
                    i, "; the model has diverged or its weights are damaged");
      if (logits[i] > logits[best]) best = i;
    }
    if (logits[best] == -std::numeric_limits<float>::infinity())
      throw Error("sampler: expected a token that can be drawn, found -infinity for all; ban fewer tokens");
    return best;
  }
  std::int32_t draw(std::span<const float> logits, double u) {
    const auto [kept, total] = odds(logits);
    double left = u * total;
    std::int32_t last = kept.front();
    for (std::size_t n = 0; n < kept.size() && left >= 0; ++n) {
      if (odds_[n] > 0) last = kept[n];
      left -= odds_[n];
    }
    return last;
  }
  /// The tokens that can be drawn, with their odds in odds_, and the sum of these.
  std::pair<std::span<const std::int32_t>, double> odds(std::span<const float> logits) {
    const std::size_t best = likeliest(logits);
    const double max = double(logits[best]);
    if (config_.temperature > 0) {
      const auto kept = keep(logits, max);
      return {kept, weigh(logits, kept, max, config_.temperature)};
    }
    order_.front() = static_cast<std::int32_t>(best);
    odds_.front() = 1;
    return {std::span(order_).first(1), 1};
  }
  /// odds_[n] = e^((logit of tokens[n] - max) / temperature); their sum.
  double weigh(std::span<const float> logits, std::span<const std::int32_t> tokens, double max, double temperature) {
    constexpr int width = native_width<double>;
    const auto size = static_cast<dim_t>(tokens.size());
    for (std::size_t n = 0; n < tokens.size(); ++n)
      odds_[n] = (static_cast<double>(logits[index(tokens[n])]) - max) / temperature;
    for (dim_t n = 0; n < size; n += width) {
      const Lanes<width> lanes{n};
      store(odds_.data(), lanes, math::exp(load(odds_.data(), lanes)));
    }
    return std::accumulate(odds_.begin(), odds_.begin() + size, 0.0);
  }
  /// The tokens that pass the cuts.
  std::span<const std::int32_t> keep(std::span<const float> logits, double max) {
    std::iota(order_.begin(), order_.end(), 0);
    const std::size_t size = order_.size(), k = static_cast<std::size_t>(config_.top_k);
    const std::size_t most = k > 0 && k < size ? k : size;
    const bool cut = config_.top_p < 1;
    if (!cut && most == size) return order_;
    const double wanted = cut ? config_.top_p * weigh(logits, order_, max, 1) : 0;
    // A heap, since few tokens pass: they are moved behind its end, the likeliest to the back.
    const auto later = [&](std::int32_t a, std::int32_t b) {
      const float x = logits[index(a)], y = logits[index(b)];
      return x < y || (x == y && a > b);
    };
    std::make_heap(order_.begin(), order_.end(), later);
    auto end = order_.end();
    double sum = 0;
    float cutoff = 0;
    for (std::size_t n = 0; n < most; ++n) {
      const std::int32_t next = order_.front();
      if (cut && n > 0 && sum >= wanted && logits[index(next)] < cutoff)
        break;  // those as likely as the last one pass too
      std::pop_heap(order_.begin(), end, later);
      --end;
      if (cut) sum += odds_[index(next)];
      cutoff = logits[index(next)];
    }
    return {end, order_.end()};
  }

  SamplerConfig config_;
  Random random_;
  std::uint64_t position_ = 0;
  std::vector<double> occurrences_;  // of each token, decayed; `never`: not written yet
  std::vector<std::int32_t> seen_;   // the tokens that were written
  std::vector<std::int32_t> order_;  // scratch, like odds_
  std::vector<double> odds_;
};

}  // namespace rwkv
