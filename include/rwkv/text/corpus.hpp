#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/text/token_storage.hpp>
#include <rwkv/text/tokenizer.hpp>

namespace rwkv {

/// A text as a sequence of tokens. Copies and slices share the storage. Where every byte is a token, the storage is the
/// file and a table, and a file that is changed while it is in use is an Error of the next read; other texts are kept
/// as one, two or four bytes per token.
class Corpus {
 public:
  /// The tokens of a file. Error if there is no such file, if it is empty, or if the tokenizer cannot encode it.
  Corpus(const std::string& path, Tokenizer tokenizer) : Corpus(TextFile(path), std::move(tokenizer)) {}
  /// The file, with a tokenizer of the characters that occur in it.
  static Corpus by_characters(const std::string& path) {
    TextFile file(path);
    const std::string bytes = file.distinct_bytes();
    if (bytes.empty()) throw empty(path);
    Tokenizer tokenizer = Characters(utf8::ascii_prefix(bytes) == bytes.size() ? bytes : file.whole(), path);
    return {std::move(file), std::move(tokenizer)};
  }
  /// A text in memory, and what messages call it.
  static Corpus of_text(std::string text, Tokenizer tokenizer, std::string name = "text") {
    const auto table = table_of(distinct_bytes(text), tokenizer, name);
    auto tokens = table ? std::make_shared<const ByteTokens>(std::move(text), *table) : encoded(text, tokenizer, name);
    return {std::move(tokens), std::move(tokenizer), std::move(name)};
  }
  /// Tokens that are there already, all of them the tokenizer's. Error if there are none.
  Corpus(std::shared_ptr<const TokenStorage> tokens, Tokenizer tokenizer, std::string name)
      : tokens_(std::move(tokens)), tokenizer_(std::move(tokenizer)), name_(std::move(name)), size_(tokens_->size()) {
    if (size_ == 0) throw empty(name_);
  }

  dim_t size() const { return size_; }  ///< tokens
  const Tokenizer& tokenizer() const { return tokenizer_; }
  /// For messages: the path, and of a part which one, as in "the last 10 % of notes.txt".
  const std::string& name() const { return name_; }

  /// Tokens first, first + 1, ... into out. Error unless all of them lie within the corpus, and its file is as it was.
  void read(dim_t first, std::span<std::int32_t> out) const {
    expect_range(first, static_cast<dim_t>(out.size()));
    tokens_->read(first_ + first, out);
  }
  /// A part of it: `count` tokens from `first`. Error unless they lie within the corpus.
  Corpus slice(dim_t first, dim_t count) const {
    expect_range(first, count);
    const dim_t last = first + std::max<dim_t>(count, 1) - 1;
    return part(first, count, "tokens " + std::to_string(first) + " to " + std::to_string(last));
  }
  /// The first part, as a fraction of the tokens, and the rest: auto [train, validation] = corpus.split(0.9).
  std::pair<Corpus, Corpus> split(double fraction) const {
    if (!(fraction >= 0 && fraction <= 1))
      throw Error(name(), ": expected a fraction from 0 to 1 to split at, found ", fraction,
                  "; 0.9 keeps nine tenths for training");
    const auto first = static_cast<dim_t>(fraction * static_cast<double>(size_));
    const auto percent = [](const char* which, double part) {
      return detail::sentence({which, std::round(part * 1e4) / 1e2, " %"});
    };
    return {part(0, first, percent("the first ", fraction)),
            part(first, size_ - first, percent("the last ", 1 - fraction))};
  }

 private:
  using Tokens = std::shared_ptr<const TokenStorage>;

  Corpus(TextFile file, Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)), name_(file.path()) {
    const auto table = table_of(file.distinct_bytes(), tokenizer_, name_);
    tokens_ =
        table ? std::make_shared<const ByteTokens>(std::move(file), *table) : encoded(file.whole(), tokenizer_, name_);
    size_ = tokens_->size();
  }
  /// The table of a text in which these bytes occur, if every one of them is a token.
  static std::optional<ByteTable> table_of(const std::string& bytes, const Tokenizer& tokenizer,
                                           const std::string& name) {
    if (bytes.empty()) throw empty(name);
    const std::optional<ByteTable> table = tokenizer.byte_table(bytes);
    for (const char c : bytes)
      if (table && (*table)[static_cast<unsigned char>(c)] < 0) return {};
    return table;
  }
  static Tokens encoded(const std::string& text, const Tokenizer& tokenizer, const std::string& name) {
    const auto tokens = std::make_shared<PackedTokens>(tokenizer.size());
    const auto add = [&](std::span<const std::int32_t> ids) { tokens->add(ids); };
    tokenizer.encode(text, name, add);
    return tokens;
  }
  Corpus part(dim_t first, dim_t count, const std::string& which) const {
    Corpus made = *this;
    made.first_ += first;
    made.size_ = count;
    if (count < size_) made.name_ = which + " of " + name_;
    return made;
  }
  void expect_range(dim_t first, dim_t n) const {
    if (first >= 0 && n >= 0 && first <= size_ && n <= size_ - first) return;
    throw Error(name(), ": expected a range within ", size_, " tokens, found ", n, " from ", first,
                "; take a shorter or an earlier one");
  }
  [[gnu::cold]] static Error empty(const std::string& name) {
    return Error(name, ": expected a text, found no bytes; give one with at least one character");
  }

  Tokens tokens_;
  Tokenizer tokenizer_;
  std::string name_;
  dim_t first_ = 0, size_ = 0;
};

}  // namespace rwkv
