#pragma once
#include <string>
#include <utility>

#include <rwkv/core/utf8.hpp>
#include <rwkv/text/tokenizer.hpp>

namespace rwkv {

/// The text of tokens that come one by one: each call gives what has become whole characters, and keeps the beginning
/// of one that the next token may complete. Bytes that can be no part of a character are given as they are.
class TextStream {
 public:
  explicit TextStream(Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}

  /// Error unless 0 <= id < size() of the tokenizer.
  std::string operator()(std::int32_t id) {
    tokenizer_.append(id, pending_);
    const std::size_t whole = utf8::whole_characters(pending_);
    std::string text = pending_.substr(0, whole);
    pending_.erase(0, whole);
    return text;
  }
  /// What was kept: the tokens have ended.
  std::string rest() { return std::exchange(pending_, {}); }

 private:
  Tokenizer tokenizer_;
  std::string pending_;
};

}  // namespace rwkv
