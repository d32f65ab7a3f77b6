#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <rwkv/core/lanes.hpp>
#include <rwkv/core/math.hpp>
#include <rwkv/inference/any_decoder.hpp>

namespace rwkv {

/// The logarithm of the softmax of logits, at a token: its log-probability in nats, within 1e-5 of that in double.
inline double log_probability(std::span<const float> logits, std::int32_t token) {
  constexpr int width = native_width<float>;
  const auto size = static_cast<dim_t>(logits.size());
  const float most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  dim_t i = 0;
  for (; i + width <= size; i += width) {
    const Lanes<width> lanes{i};
    alignas(64) float odds[width];
    store(odds, Lanes<width>{0}, math::exp(load(logits.data(), lanes) - most));
    for (const float odd : odds) sum += double(odd);
  }
  for (; i < size; ++i) sum += std::exp(double(logits[static_cast<std::size_t>(i)]) - double(most));
  return double(logits[static_cast<std::size_t>(token)]) - double(most) - std::log(sum);
}
/// The first of the likeliest tokens.
inline std::int32_t likeliest(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// Tokens that follow others, of which there is at least one.
struct Continuation {
  std::vector<std::int32_t> before, tokens;
};
/// What a model makes of a continuation.
struct Score {
  double log_probability = 0;  ///< of all its tokens after what stands before, in nats
  bool greedy = true;          ///< each of them is the likeliest where it stands
};

namespace detail {

/// Scores of as many continuations as the decoder has sequences, or fewer, each after what it has read.
inline void score_together(AnyDecoder& decoder, std::span<const Continuation* const> group, std::span<Score*> scores) {
  // What all have before their continuations is read first, since its logits are not needed. Shorter ones are filled
  // up: what comes after a token changes nothing at it.
  std::size_t first = group[0]->before.size(), last = 0;
  for (const Continuation* one : group) {
    first = std::min(first, one->before.size());
    last = std::max(last, one->before.size() + one->tokens.size());
  }
  const auto batch = static_cast<std::size_t>(decoder.batch()),
             vocabulary = static_cast<std::size_t>(decoder.vocabulary());
  const auto read = [&](std::size_t from, std::size_t to) {
    std::vector<std::int32_t> ids(batch * (to - from));
    for (std::size_t b = 0; b < group.size(); ++b)
      for (std::size_t t = from; t < to; ++t) {
        const auto& [before, tokens] = *group[b];
        if (t < before.size() + tokens.size())
          ids[b * (to - from) + t - from] = t < before.size() ? before[t] : tokens[t - before.size()];
      }
    return ids;
  };
  const auto account = [&](std::size_t t, std::span<const float> logits) {  // after token number t
    for (std::size_t b = 0; b < group.size(); ++b) {
      const auto& [before, tokens] = *group[b];
      if (t + 1 < before.size() || t + 1 >= before.size() + tokens.size()) continue;
      const auto own = logits.subspan(b * vocabulary, vocabulary);
      const std::int32_t token = tokens[t + 1 - before.size()];
      scores[b]->log_probability += log_probability(own, token);
      scores[b]->greedy = scores[b]->greedy && token == likeliest(own);
    }
  };
  account(first - 1, decoder.prefill(read(0, first)));
  if (last > first + 1)
    decoder.prefill(read(first, last - 1), [&](dim_t t, std::span<const float> logits) {
      account(first + static_cast<std::size_t>(t), logits);
    });
}

}  // namespace detail

/// What the model makes of continuations, each after what the decoder has read so far; as many are read side by side as
/// it has sequences. Afterwards the decoder is as it was. Error where a continuation has nothing before it, and for
/// tokens outside the vocabulary.
inline std::vector<Score> score(AnyDecoder& decoder, std::span<const Continuation> continuations) {
  std::vector<Score> scores(continuations.size());
  std::vector<std::size_t> order(continuations.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto length = [&](std::size_t i) { return continuations[i].before.size() + continuations[i].tokens.size(); };
  for (const std::size_t i : order) {
    if (continuations[i].before.empty())
      throw Error("score: expected at least one token before continuation number ", i,
                  ", found none; token 0 ends a text and may stand before one");
    for (const std::int32_t token : continuations[i].tokens)
      if (token < 0 || token >= decoder.vocabulary())
        throw Error("score: token ", token, " is outside the model's vocabulary of ", decoder.vocabulary());
  }
  std::ranges::stable_sort(order, {}, length);
  const auto batch = static_cast<std::size_t>(decoder.batch());
  const std::any start = decoder.snapshot();
  for (std::size_t at = 0; at < order.size(); at += batch) {
    std::vector<const Continuation*> group;
    std::vector<Score*> of;
    for (std::size_t i = at; i < std::min(at + batch, order.size()); ++i)
      group.push_back(&continuations[order[i]]), of.push_back(&scores[order[i]]);
    detail::score_together(decoder, group, of);
    decoder.restore(start);
  }
  return scores;
}

}  // namespace rwkv
