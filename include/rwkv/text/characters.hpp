#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/utf8_check.hpp>
#include <rwkv/text/bytes.hpp>

namespace rwkv {

/// One token per character (code point) of a vocabulary, which is made from a text or from a list.
class Characters {
 public:
  static constexpr std::string_view kind = "characters";

  /// The characters that occur in a text, in the order of their code points. Error if it is empty or not UTF-8; `name`
  /// is what messages call the text.
  explicit Characters(std::string_view text, const std::string& name = "text") {
    std::vector<std::uint64_t> occurs(0x110000 / 64);  // a bit for each code point
    utf8::for_each(text, name, [&](char32_t code, std::size_t) { occurs[code / 64] |= std::uint64_t{1} << code % 64; });
    for (std::size_t word = 0; word < occurs.size(); ++word)
      for (std::uint64_t bits = occurs[word]; bits != 0; bits &= bits - 1)
        add(static_cast<char32_t>(64 * word) + static_cast<char32_t>(std::countr_zero(bits)));
    if (characters_.empty()) throw Error(name, ": expected the characters of a text, found no text; give a longer one");
  }
  /// The characters of a list: the first is token 0. Error if it is empty, not UTF-8, or has a character twice.
  static Characters from_vocabulary(std::string_view list) {
    Characters made;
    utf8::for_each(list, "vocabulary", [&](char32_t code, std::size_t at) {
      if (made.id(code) >= 0)
        throw Error(utf8::place("vocabulary", list, at), ": expected every character once, found ",
                    utf8::printable(code), " again; remove it, or build Characters from a text");
      made.add(code);
    });
    if (made.characters_.empty()) throw Error("vocabulary: expected at least one character, found none; list them");
    return made;
  }

  dim_t size() const { return static_cast<dim_t>(characters_.size()); }
  /// Error at the first byte that is not UTF-8 or the first character that the vocabulary lacks.
  std::vector<std::int32_t> encode(std::string_view text) const {
    std::vector<std::int32_t> ids;
    ids.reserve(utf8::length(text));
    for_each_id(text, "text", [&](std::int32_t id) { ids.push_back(id); });
    return ids;
  }
  /// Adds the character, as UTF-8, to out. Error unless 0 <= id < size().
  void append(std::int32_t id, std::string& out) const {
    expect_token(id, size(), kind);
    utf8::append(characters_[static_cast<std::size_t>(id)], out);
  }
  /// The token of a code point, -1 if there is none.
  std::int32_t id(char32_t code) const {
    const std::size_t page = code >> 8;
    return page < page_of_.size() ? ids_[256 * std::size_t{page_of_[page]} + (code & 255)] : -1;
  }

  /// Calls each(id) for the tokens of a text, which messages call `name`; errors as in encode.
  template <class Each>
  void for_each_id(std::string_view text, const std::string& name, Each&& each) const {
    utf8::for_each(text, name, [&](char32_t code, std::size_t at) {
      const std::int32_t token = id(code);
      if (token < 0) throw unknown(name, text, code, at);
      each(token);
    });
  }
  /// Only for a text that is all ASCII.
  std::optional<ByteTable> byte_table(std::string_view text) const {
    if (utf8::ascii_prefix(text) < text.size()) return {};
    ByteTable table;
    for (std::size_t byte = 0; byte < table.size(); ++byte) table[byte] = byte < 0x80 ? id(char32_t(byte)) : -1;
    return table;
  }
  /// All characters, in the order of their tokens, as UTF-8.
  std::string vocabulary() const {
    std::string out;
    for (const char32_t code : characters_) utf8::append(code, out);
    return out;
  }
  friend bool operator==(const Characters& a, const Characters& b) { return a.characters_ == b.characters_; }

 private:
  Characters() = default;

  void add(char32_t code) {
    std::uint16_t& page = page_of_[code >> 8];
    if (page == 0) {
      page = static_cast<std::uint16_t>(ids_.size() / 256);
      ids_.resize(ids_.size() + 256, -1);
    }
    ids_[256 * std::size_t{page} + (code & 255)] = static_cast<std::int32_t>(characters_.size());
    characters_.push_back(code);
  }
  [[gnu::cold]] Error unknown(const std::string& name, std::string_view text, char32_t code, std::size_t at) const {
    return Error(utf8::place(name, text, at), ": expected the ", size(), " characters of the vocabulary, found ",
                 utf8::printable(code),
                 "; build the vocabulary from a text that has it, take it out, or use Bytes, which takes anything");
  }

  std::vector<char32_t> characters_;  // of each token
  // The token of each code point, in pages of 256, since a script uses few of the 4352; page 0 is empty.
  std::vector<std::uint16_t> page_of_ = std::vector<std::uint16_t>(0x1100);
  std::vector<std::int32_t> ids_ = std::vector<std::int32_t>(256, -1);
};

}  // namespace rwkv
