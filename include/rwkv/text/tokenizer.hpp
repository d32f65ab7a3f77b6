#pragma once
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rwkv/text/characters.hpp>
#include <rwkv/text/erased_tokenizer.hpp>

namespace rwkv {

/// Text to tokens and back: any kind of tokenizer, chosen at run time, and saved with the model. Copies share it, as
/// nothing changes it.
class Tokenizer {
 public:
  using Metadata = std::map<std::string, std::string>;
  /// Those that need nothing but metadata; others lie in files, see tokenizer_for.
  using OwnKinds = TokenizerKinds<Bytes, Characters>;

  Tokenizer() : Tokenizer(Bytes()) {}
  template <TokenizerKind K>
  requires(!std::same_as<K, Tokenizer>) Tokenizer(K kind)
      : kind_(std::make_shared<const detail::ErasedTokenizer<K>>(std::move(kind))) {}

  /// Its kind: "bytes".
  std::string_view kind() const { return kind_->kind(); }
  /// The kind that is held, null if it is another one.
  template <TokenizerKind K>
  const K* as() const {
    const auto* held = dynamic_cast<const detail::ErasedTokenizer<K>*>(kind_.get());
    return held == nullptr ? nullptr : &held->held;
  }

  /// Number of tokens: a model's vocabulary must be at least as large.
  dim_t size() const { return kind_->size(); }
  /// The token after which a text is over, for kinds that have one.
  std::optional<std::int32_t> end_of_text() const { return kind_->end_of_text(); }
  /// Error, with the place, for what the vocabulary lacks; `name` is what messages call the text.
  std::vector<std::int32_t> encode(std::string_view text, const std::string& name = "text") const {
    std::vector<std::int32_t> all;
    const auto take = [&](std::span<const std::int32_t> ids) { all.insert(all.end(), ids.begin(), ids.end()); };
    encode(text, name, take);
    return all;
  }
  /// The same, some thousands of tokens at a time: take(std::span<const std::int32_t> ids).
  template <class Take>
  void encode(std::string_view text, const std::string& name, Take& take) const {
    kind_->encode(text, name, IdSink(take));
  }
  /// Adds the text of one token to out, which may be a part of a character. Error unless 0 <= id < size().
  void append(std::int32_t id, std::string& out) const { kind_->append(id, out); }
  std::string decode(std::span<const std::int32_t> ids) const {
    std::string out;
    for (const std::int32_t id : ids) append(id, out);
    return out;
  }
  /// Of a text of which every byte is a token: the token of each. Nothing for other kinds and texts.
  std::optional<ByteTable> byte_table(std::string_view text) const { return kind_->byte_table(text); }

  /// What is saved in a model's file: "tokenizer", the kind, and "vocabulary", as UTF-8, for kinds that have one. For
  /// those with a file of their own that is how many tokens it has and a hash of them, and "vocabulary_file" its name.
  Metadata metadata() const {
    Metadata made{{"tokenizer", std::string(kind())}};
    if (std::string list = kind_->vocabulary(); !list.empty()) made["vocabulary"] = std::move(list);
    if (std::string name = kind_->file_name(); !name.empty()) made["vocabulary_file"] = std::move(name);
    return made;
  }
  /// How the vocabulary's own file is called and what it holds; both empty for kinds without one.
  std::string file_name() const { return kind_->file_name(); }
  std::string file() const { return kind_->file(); }

  /// One of `Kinds`, which may be a program's own. Ignores other keys. Error if "tokenizer" and "vocabulary" make none
  /// of them.
  template <class... Kinds>
  static Tokenizer from_metadata(const Metadata& metadata, TokenizerKinds<Kinds...>) {
    const auto kind = metadata.find("tokenizer"), list = metadata.find("vocabulary");
    if (kind == metadata.end())
      throw Error(
          "metadata: expected the key \"tokenizer\", found none; the model was saved without its tokenizer, "
          "name one yourself");
    const std::string_view vocabulary = list == metadata.end() ? std::string_view() : list->second;
    std::optional<Tokenizer> made;
    static_cast<void>(((kind->second == Kinds::kind && (made = Kinds::from_vocabulary(vocabulary), true)) || ...));
    if (made) return *made;
    if (const auto file = metadata.find("vocabulary_file"); file != metadata.end())
      throw Error("metadata: the tokenizer ", in_quotes(kind->second), " has a vocabulary of its own, ",
                  in_quotes(file->second), ", beside the model's file; find it by tokenizer_for");
    std::string names;
    ((names += (names.empty() ? "\"" : ", \"") + std::string(Kinds::kind) + '"'), ...);
    throw Error("metadata: expected for \"tokenizer\" one of ", names, ", found ", in_quotes(kind->second),
                "; the file was written by another version of the library, use that one");
  }
  static Tokenizer from_metadata(const Metadata& metadata) { return from_metadata(metadata, OwnKinds{}); }

  friend bool operator==(const Tokenizer& a, const Tokenizer& b) { return a.kind_->equals(*b.kind_); }

 private:
  std::shared_ptr<const detail::AnyTokenizer> kind_;
};

}  // namespace rwkv
