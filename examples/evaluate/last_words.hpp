#pragma once
#include <cmath>
#include <string>
#include <vector>

#include <rwkv/inference/score.hpp>
#include <rwkv/text/json_lines.hpp>

namespace example {

/// The last words of passages, one a line of JSON as in LAMBADA: {"text": "... the last word"}. Each stands after token
/// 0 and the rest of its passage, and begins with the space before it. Error with the line for what is none.
inline std::vector<rwkv::Continuation> last_words(const std::string& path, const rwkv::Tokenizer& tokenizer) {
  std::vector<rwkv::Continuation> all;
  rwkv::JsonLines lines(path);
  for (std::string text; lines.next(text);) {
    const std::size_t end = text.find_last_not_of(" \t\r\n") + 1, space = text.substr(0, end).rfind(' ');
    if (space == text.npos || space == 0)
      throw rwkv::Error(lines.name(), ": expected a text of two words or more, found ", rwkv::in_quotes(text));
    rwkv::Continuation& one = all.emplace_back();
    one.before = tokenizer.encode(std::string_view(text).substr(0, space), lines.name());
    one.before.insert(one.before.begin(), 0);
    one.tokens = tokenizer.encode(std::string_view(text).substr(space, end - space), lines.name());
  }
  if (all.empty()) throw rwkv::Error(path, ": expected lines of JSON, found none");
  return all;
}

/// Of scores: the share that is greedy, and what the words cost.
struct WordScore {
  double accuracy = 0, log_probability = 0;  ///< log_probability: the mean of a word's, in nats
  double perplexity() const { return std::exp(-log_probability); }
};
inline WordScore word_score(const std::vector<rwkv::Score>& scores) {
  WordScore mean;
  for (const rwkv::Score& score : scores) {
    mean.accuracy += score.greedy / double(scores.size());
    mean.log_probability += score.log_probability / double(scores.size());
  }
  return mean;
}

}  // namespace example
