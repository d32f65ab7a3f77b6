#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/utf8.hpp>
#include <rwkv/text/unicode/canonical.hpp>
#include <rwkv/text/unicode/character_kinds.hpp>

namespace rwkv::unicode {

namespace detail {

/// Characters in canonical order, composed where they can be.
[[gnu::cold]] inline void compose(std::vector<char32_t>& text) {
  const Canonical& canonical = Canonical::table();
  const auto class_of = [&](char32_t code) { return canonical.combining_class(code); };
  for (auto next = text.begin(); next != text.end();) {
    const auto first = std::find_if(next, text.end(), class_of);
    next = std::find_if_not(first, text.end(), class_of);
    std::stable_sort(first, next, [&](char32_t a, char32_t b) { return class_of(a) < class_of(b); });
  }
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::size_t starter = none, size = 0;  // place of the last character of class 0
  int before = -1;                       // class of what stands between it and here, -1: nothing does
  for (const char32_t code : text) {
    const int own = class_of(code);
    const char32_t made = starter != none && before < own + (before < 0) ? canonical.compose(text[starter], code) : 0;
    if (made != 0) {
      text[starter] = made;
      continue;
    }
    if (own == 0)
      starter = size, before = -1;
    else
      before = own;
    text[size++] = code;
  }
  text.resize(size);
}

}  // namespace detail

/// How many bytes of a valid text, from its beginning on, are in normal form C whatever follows them.
inline std::size_t composed_prefix(std::string_view text) {
  const CharacterKinds& kinds = CharacterKinds::table();
  std::size_t at = utf8::ascii_prefix(text), before = at - (at > 0);  // the latter: where the last character stands
  while (at < text.size()) {
    const utf8::Character c = utf8::decode(text.substr(at));
    if (kinds.joins(c.code)) return before;
    before = at;
    at += c.size;
  }
  return text.size();
}

/// Adds the normal form C of a valid text to out.
inline void append_composed(std::string_view text, std::string& out) {
  const CharacterKinds& kinds = CharacterKinds::table();
  std::vector<char32_t> characters;
  while (!text.empty()) {
    const std::size_t done = composed_prefix(text);
    out += text.substr(0, done);
    text.remove_prefix(done);
    characters.clear();
    for (bool first = true; !text.empty(); first = false) {
      const utf8::Character c = utf8::decode(text);
      if (!first && !kinds.joins(c.code)) break;
      Canonical::table().decompose(c.code, characters);
      text.remove_prefix(c.size);
    }
    detail::compose(characters);
    for (const char32_t code : characters) utf8::append(code, out);
  }
}

}  // namespace rwkv::unicode
