#pragma once
#include <string_view>

#include <rwkv/core/utf8.hpp>
#include <rwkv/text/unicode/character_kinds.hpp>

namespace rwkv::detail {

/// Cuts a text into words as GPT-2 does, by the pattern
/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// of which the first alternative that fits decides.
class Gpt2Pattern {
 public:
  /// The first word of a valid text that is not empty.
  std::string_view word(std::string_view text) const {
    if (text[0] == '\'')
      if (const std::size_t size = contraction(text)) return text.substr(0, size);
    const std::size_t begin = text[0] == ' ' && text.size() > 1;
    const Category kind = category(text, begin).kind;
    if (kind != Category::space) return text.substr(0, run(text, begin, kind).end);
    const Run spaces = run(text, 0, Category::space);
    return text.substr(0, spaces.end == text.size() || spaces.last == 0 ? spaces.end : spaces.last);
  }

 private:
  using Category = unicode::Category;
  struct Character {
    Category kind;
    std::size_t size;
  };
  struct Run {
    std::size_t last, end;  // where its last character begins, and where it ends
  };

  static std::size_t contraction(std::string_view text) {
    for (const std::string_view known : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
      if (text.starts_with(known)) return known.size();
    return 0;
  }
  Character category(std::string_view text, std::size_t at) const {
    if (static_cast<unsigned char>(text[at]) < 0x80) return {kinds_->category(static_cast<unsigned char>(text[at])), 1};
    const utf8::Character c = utf8::decode(text.substr(at));
    return {kinds_->category(c.code), c.size};
  }
  /// Characters of a kind, from one of them on.
  Run run(std::string_view text, std::size_t at, Category kind) const {
    Run run{at, at};
    while (run.end < text.size()) {
      const Character c = category(text, run.end);
      if (c.kind != kind) break;
      run = {run.end, run.end + c.size};
    }
    return run;
  }

  const unicode::CharacterKinds* kinds_ = &unicode::CharacterKinds::table();
};

}  // namespace rwkv::detail
