#pragma once
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <rwkv/inference/score.hpp>
#include <rwkv/io/json_events.hpp>
#include <rwkv/text/tokenizer.hpp>

namespace example {

/// The string under the key "text" of an object.
struct TextKey {
  std::string text;
  bool found = false;

  bool begin_object() { return ++depth_ > 0; }
  bool key(std::string name) { return wanted_ = depth_ == 1 && name == "text", true; }
  bool end_object() { return --depth_, true; }
  bool begin_array() { return ++depth_ > 0; }
  bool end_array() { return --depth_, true; }
  bool string(std::string value) {
    if (wanted_ && depth_ == 1) text = std::move(value), found = true;
    return wanted_ = false, true;
  }
  bool number(std::uint64_t) { return true; }
  bool negative_number() { return true; }
  bool odd_number(const std::string&) { return true; }
  bool boolean() { return true; }
  bool null() { return true; }

 private:
  int depth_ = 0;
  bool wanted_ = false;
};

/// The last words of passages, one a line of JSON as in LAMBADA: {"text": "... the last word"}. Each stands after token
/// 0 and the rest of its passage, and begins with the space before it. Error with the line for what is none.
inline std::vector<rwkv::Continuation> last_words(const std::string& path, const rwkv::Tokenizer& tokenizer) {
  std::ifstream file(path);
  if (!file) throw rwkv::Error(path, ": cannot be opened; check the name and its permissions");
  std::vector<rwkv::Continuation> all;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    TextKey json;
    if (const std::size_t wrong = rwkv::detail::JsonReader(std::string_view(line), json).read(); wrong > 0)
      throw rwkv::Error(path, ": line ", number, ": expected JSON, found none at byte ", wrong, " of it");
    const std::size_t end = json.text.find_last_not_of(" \t\r\n") + 1, space = json.text.substr(0, end).rfind(' ');
    if (!json.found || space == std::string::npos || space == 0)
      throw rwkv::Error(path, ": line ", number, ": expected {\"text\": \"words\"} with two words or more, found ",
                        rwkv::in_quotes(line));
    rwkv::Continuation& one = all.emplace_back();
    one.before = tokenizer.encode(std::string_view(json.text).substr(0, space));
    one.before.insert(one.before.begin(), 0);
    one.tokens = tokenizer.encode(std::string_view(json.text).substr(space, end - space));
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
