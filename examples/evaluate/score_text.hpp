#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <rwkv/inference/score.hpp>
#include <rwkv/text/open_corpus.hpp>

namespace example {

/// What a model makes of a text.
struct TextScore {
  double nats = 0, tokens = 0, bytes = 0;  ///< nats: minus the log-probability of all tokens

  double loss() const { return nats / tokens; }
  double perplexity() const { return std::exp(loss()); }
  double bits_per_byte() const { return nats / std::log(2.0) / bytes; }
};

/// Reads the text in as many parts of equal length as the decoder has sequences, side by side, each after what it
/// has read and token 0, in pieces with the state carried on: every token counts, after all before it in its part.
/// `likeliest` gets the likeliest token in the place of each, in the order in which they are read.
inline TextScore score_text(rwkv::AnyDecoder& decoder, const rwkv::Corpus& text,
                            std::vector<std::int32_t>* likeliest = nullptr) {
  using rwkv::dim_t;
  constexpr dim_t piece = 1024;
  const dim_t parts = decoder.batch(), length = (text.size() + parts - 1) / parts;
  const auto vocabulary = static_cast<std::size_t>(decoder.vocabulary());
  TextScore score;
  const auto end = text.tokenizer().end_of_text();  // counts as a token, and has no bytes
  std::string bytes;
  std::vector<std::int32_t> targets(static_cast<std::size_t>(parts * piece)), inputs(targets.size());
  std::vector<std::int32_t> before(static_cast<std::size_t>(parts), 0);
  for (dim_t first = 0; first < length; first += piece) {
    const dim_t time = std::min(piece, length - first);
    const auto count = [&](dim_t part) { return std::clamp<dim_t>(text.size() - part * length - first, 0, time); };
    for (dim_t part = 0; part < parts; ++part) {  // the last ones may end earlier, and are filled up with token 0
      const std::span<std::int32_t> own(&targets[static_cast<std::size_t>(part * time)],
                                        static_cast<std::size_t>(time));
      const auto held = static_cast<std::size_t>(count(part));
      if (held > 0) text.read(part * length + first, own.first(held));
      std::fill(own.begin() + std::ptrdiff_t(held), own.end(), 0);
      std::int32_t& last = before[static_cast<std::size_t>(part)];
      inputs[static_cast<std::size_t>(part * time)] = last;
      std::copy(own.begin(), own.end() - 1, &inputs[static_cast<std::size_t>(part * time + 1)]);
      last = own.back();
    }
    decoder.prefill(std::span(inputs).first(static_cast<std::size_t>(parts * time)),
                    [&](dim_t t, std::span<const float> logits) {
                      for (dim_t part = 0; part < parts; ++part) {
                        if (t >= count(part)) continue;
                        const std::int32_t token = targets[static_cast<std::size_t>(part * time + t)];
                        const auto own = logits.subspan(static_cast<std::size_t>(part) * vocabulary, vocabulary);
                        if (likeliest != nullptr)
                          likeliest->push_back(std::int32_t(std::max_element(own.begin(), own.end()) - own.begin()));
                        score.nats -= rwkv::log_probability(own, token);
                        score.tokens += 1;
                        if (token == end) continue;
                        bytes.clear();
                        text.tokenizer().append(token, bytes);
                        score.bytes += double(bytes.size());
                      }
                    });
  }
  return score;
}

}  // namespace example
