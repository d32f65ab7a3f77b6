#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rwkv/io/mapped_file.hpp>
#include <rwkv/text/byte_trie.hpp>
#include <rwkv/text/content_hash.hpp>
#include <rwkv/text/expect_token.hpp>
#include <rwkv/text/file_name.hpp>
#include <rwkv/text/world/vocabulary_lines.hpp>

namespace rwkv {

/// RWKV's World tokenizer: at each place the longest token of the vocabulary that the text goes on with. Every byte is
/// a token as well, so that any text, also one that is not UTF-8, can be encoded. Token 0 ends a text and says nothing.
class World {
 public:
  static constexpr std::string_view kind = "world";

  /// A vocabulary file: a line for each token, `1 '\x00' 1`, numbered from 1. Error, with the line, if it is none.
  static World open(const std::string& path) {
    const MappedFile file(path);
    return World(detail::world_tokens(file.text(), path), path);
  }
  /// The content of such a file, and what messages call it.
  static World from_vocabulary_file(std::string_view content, const std::string& name = "vocabulary") {
    return World(detail::world_tokens(content, name), name);
  }
  /// The list `tokenizer.ggml.tokens` of a GGUF file: number 0 is no text, the others are bytes in Python's escapes;
  /// the padding at its end is left out.
  static World from_escaped(std::span<const std::string> tokens, const std::string& name = "tokenizer.ggml.tokens") {
    return World(detail::world_tokens(tokens, name), "");
  }

  dim_t size() const { return static_cast<dim_t>(texts_.size()); }
  static std::optional<std::int32_t> end_of_text() { return 0; }
  std::vector<std::int32_t> encode(std::string_view text) const {
    std::vector<std::int32_t> ids;
    ids.reserve(text.size() / 3);
    for_each_id(text, "", [&](std::int32_t id) { ids.push_back(id); });
    return ids;
  }
  /// Adds the bytes of a token to out, nothing for token 0. Error unless 0 <= id < size().
  void append(std::int32_t id, std::string& out) const {
    expect_token(id, size(), kind);
    out += texts_[static_cast<std::size_t>(id)];
  }

  /// Calls each(id) for the tokens of a text.
  template <class Each>
  void for_each_id(std::string_view text, const std::string&, Each&& each) const {
    while (!text.empty()) {
      const ByteTrie::Match token = trie_.longest(text);
      each(token.id);
      text.remove_prefix(token.size);
    }
  }

  /// How the file of the vocabulary is called, without its folder.
  const std::string& file_name() const { return file_name_; }
  /// Its content; another file with the same tokens may be written differently.
  std::string file() const { return detail::world_file(texts_); }
  /// Of the tokens, however they were written.
  ContentHash content_hash() const {
    ContentHash hash(texts_.size());
    for (const std::string& text : texts_) hash.add(text);
    return hash;
  }
  friend bool operator==(const World& a, const World& b) { return a.texts_ == b.texts_; }

 private:
  /// Error unless the texts are different, and all bytes are among them.
  World(std::vector<std::string> texts, const std::string& name)
      : texts_(std::move(texts)), trie_(texts_), file_name_(detail::file_name_of(name, "world.txt")) {
    const std::string& called = name.empty() ? file_name_ : name;
    for (std::size_t id = 1; id < texts_.size(); ++id)
      if (const auto same = static_cast<std::size_t>(trie_.longest(texts_[id]).id); same != id)
        throw Error(called, ": expected every text once, found ", in_quotes(texts_[id]), " as tokens ", id, " and ",
                    same, "; download the file again");
    for (int byte = 0; byte < 256; ++byte)
      if (trie_.longest(std::string(1, static_cast<char>(byte))).id < 0)
        throw Error(called, ": expected every byte among the tokens, found none of byte ", byte,
                    "; download the file again");
  }

  std::vector<std::string> texts_;
  ByteTrie trie_;
  std::string file_name_;
};

}  // namespace rwkv
