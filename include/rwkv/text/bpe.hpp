#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rwkv/core/utf8_check.hpp>
#include <rwkv/io/mapped_file.hpp>
#include <rwkv/text/bpe/added_tokens.hpp>
#include <rwkv/text/bpe/gpt2_pattern.hpp>
#include <rwkv/text/bpe/merges_file.hpp>
#include <rwkv/text/bpe/tokenizer_json.hpp>
#include <rwkv/text/bpe/word_cache.hpp>
#include <rwkv/text/content_hash.hpp>
#include <rwkv/text/expect_token.hpp>
#include <rwkv/text/file_name.hpp>
#include <rwkv/text/unicode/normal_form.hpp>

namespace rwkv {

/// Byte-level byte pair encoding, as GPT-2's tokenizer and GPT-NeoX's ("20B", of RWKV's models of the Pile): a text is
/// cut into words by GPT-2's pattern, and the bytes of each word are merged, pair by pair, in the order in which the
/// vocabulary learned the pairs. Unlike World and Bytes it takes only UTF-8.
class Bpe {
 public:
  static constexpr std::string_view kind = "bpe";

  /// A tokenizer.json. Error that names what is damaged, or is not byte-level BPE.
  static Bpe open(const std::string& path) {
    const MappedFile file(path);
    return Bpe(detail::read_tokenizer_json(file.text(), path), path);
  }
  /// GPT-2's two files: vocab.json (or encoder.json), and merges.txt (or vocab.bpe).
  static Bpe open(const std::string& vocabulary, const std::string& merges) {
    const MappedFile file(vocabulary), pairs(merges);
    return Bpe(detail::read_vocabulary_and_merges(file.text(), pairs.text(), vocabulary, merges), "");
  }
  /// The content of a tokenizer.json, and what messages call it.
  static Bpe from_json(std::string_view content, const std::string& name = "tokenizer.json") {
    return Bpe(detail::read_tokenizer_json(content, name), name);
  }
  /// The contents of vocab.json and merges.txt.
  static Bpe from_vocabulary_and_merges(std::string_view vocabulary, std::string_view merges) {
    return Bpe(detail::read_vocabulary_and_merges(vocabulary, merges, "vocab.json", "merges.txt"), "");
  }

  dim_t size() const { return static_cast<dim_t>(vocabulary_.texts.size()); }
  /// The token "<|endoftext|>", where there is one.
  std::optional<std::int32_t> end_of_text() const { return end_of_text_; }
  /// Error at the first byte that is not UTF-8.
  std::vector<std::int32_t> encode(std::string_view text) const {
    std::vector<std::int32_t> ids;
    ids.reserve(text.size() / 3);
    for_each_id(text, "text", [&](std::int32_t id) { ids.push_back(id); });
    return ids;
  }
  /// Adds the bytes of a token to out, which may be a part of a character. Error unless 0 <= id < size().
  void append(std::int32_t id, std::string& out) const {
    expect_token(id, size(), kind);
    out += vocabulary_.texts[static_cast<std::size_t>(id)];
  }

  /// Calls each(id) for the tokens of a text, which messages call `name`.
  template <class Each>
  void for_each_id(std::string_view text, const std::string& name, Each&& each) const {
    utf8::check(text, name);
    detail::WordCache cache;
    detail::Merges::Word word;
    std::vector<std::int32_t> ids;
    std::string composed;
    const auto words = [&](std::string_view piece) {
      for (std::string_view next; !piece.empty(); piece.remove_prefix(next.size())) {
        next = pattern_.word(piece);
        encode_word(next, cache, word, ids, each);
      }
    };
    raw_.for_each_piece(text, each, [&](std::string_view piece) {
      if (vocabulary_.composes && unicode::composed_prefix(piece) < piece.size()) {
        composed.clear();
        unicode::append_composed(piece, composed);
        piece = composed;
      }
      normalized_.for_each_piece(piece, each, words);
    });
  }

  /// How the file of the vocabulary is called, without its folder.
  const std::string& file_name() const { return file_name_; }
  /// A tokenizer.json with the same tokens.
  std::string file() const { return detail::tokenizer_json(vocabulary_); }
  /// Of all that decides tokens, however it was written.
  ContentHash content_hash() const {
    ContentHash hash(vocabulary_.texts.size());
    for (const std::string& letters : vocabulary_.letters) hash.add(letters);
    for (const BpeMerge& merge : vocabulary_.merges)
      hash.add(static_cast<std::uint64_t>(merge.left) << 32 | static_cast<std::uint64_t>(merge.right));
    for (const BpeVocabulary::Added& token : vocabulary_.added)
      hash.add(static_cast<std::uint64_t>(token.id) << 1 | token.normalized), hash.add(token.text);
    hash.add(std::uint64_t{vocabulary_.composes});
    return hash;
  }
  friend bool operator==(const Bpe& a, const Bpe& b) { return a.vocabulary_ == b.vocabulary_; }

 private:
  Bpe(BpeVocabulary vocabulary, const std::string& path)
      : vocabulary_(std::move(vocabulary)),
        merges_(vocabulary_.merges),
        raw_(vocabulary_, false),
        normalized_(vocabulary_, true),
        file_name_(detail::file_name_of(path, "tokenizer.json")) {
    for (const BpeVocabulary::Added& token : vocabulary_.added)
      if (token.text == "<|endoftext|>") end_of_text_ = token.id;
    bytes_.fill(-1);
    for (std::size_t id = 0; id < vocabulary_.letters.size(); ++id)
      if (const auto byte = detail::bytes_of(vocabulary_.letters[id]); byte && byte->size() == 1)
        bytes_[static_cast<unsigned char>(byte->front())] = static_cast<std::int32_t>(id);
  }

  template <class Each>
  void encode_word(std::string_view text, detail::WordCache& cache, detail::Merges::Word& word,
                   std::vector<std::int32_t>& ids, Each& each) const {
    const bool short_enough = text.size() <= detail::WordCache::longest_word;
    if (const auto known = short_enough ? cache.find(text) : std::nullopt) {
      for (const std::int32_t id : *known) each(id);
      return;
    }
    word.clear();
    for (const char byte : text) word.add(bytes_[static_cast<unsigned char>(byte)]);
    merges_.merge(word);
    ids.clear();
    word.for_each([&](std::int32_t id) { ids.push_back(id); });
    for (const std::int32_t id : ids) each(id);
    if (short_enough) cache.add(text, ids);
  }

  BpeVocabulary vocabulary_;
  detail::Merges merges_;
  detail::AddedTokens raw_, normalized_;
  detail::Gpt2Pattern pattern_;
  std::array<std::int32_t, 256> bytes_;
  std::optional<std::int32_t> end_of_text_;
  std::string file_name_;
};

}  // namespace rwkv
