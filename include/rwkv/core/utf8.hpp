#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <rwkv/core/config.hpp>

/// UTF-8, strictly (Unicode 15, table 3-7): every code point has one form, and nothing else is text.
namespace rwkv::utf8 {

/// Why some bytes are no character.
enum class Flaw : std::uint8_t { none, stray, cut, overlong, surrogate, beyond };

constexpr const char* words(Flaw flaw) {
  switch (flaw) {
    case Flaw::none:
      return "a character";
    case Flaw::stray:
      return "a byte that starts no character";
    case Flaw::cut:
      return "a character cut short";
    case Flaw::overlong:
      return "an overlong form of a shorter character";
    case Flaw::surrogate:
      return "half of a surrogate pair";
    case Flaw::beyond:
      return "a code point beyond U+10FFFF";
  }
  return "";
}

/// What a text starts with.
struct Character {
  char32_t code = 0;
  std::uint8_t size = 0;  ///< bytes, or those looked at up to the flaw
  Flaw flaw = Flaw::none;
  friend constexpr bool operator==(const Character&, const Character&) = default;
};

/// The first character of a text that is not empty.
constexpr Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xC0 || first >= 0xF8) return {first, 1, Flaw::stray};
  const std::uint8_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t code = first & (0x7Fu >> size);
  for (std::uint8_t i = 1; i < size; ++i) {
    if (i == text.size() || (byte(i) & 0xC0) != 0x80) return {code, i, Flaw::cut};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const char32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  const Flaw flaw = code < least                       ? Flaw::overlong
                    : code >= 0xD800 && code <= 0xDFFF ? Flaw::surrogate
                    : code > 0x10FFFF                  ? Flaw::beyond
                                                       : Flaw::none;
  return {code, size, flaw};
}

/// Adds a code point to a text. It must be one: at most U+10FFFF, no surrogate.
constexpr void append(char32_t code, std::string& out) {
  const auto rest = [&](int shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6), rest(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12), rest(6), rest(0);
  } else {
    out += static_cast<char>(0xF0 | code >> 18), rest(12), rest(6), rest(0);
  }
}

/// How many bytes lie before the first that is not ASCII.
inline std::size_t ascii_prefix(std::string_view text) {
  std::size_t i = 0;
  for (std::uint64_t eight; i + 8 <= text.size(); i += 8) {
    std::memcpy(&eight, text.data() + i, 8);
    if ((eight & 0x8080808080808080u) != 0) break;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
  return i;
}

/// Characters in a valid text.
inline std::size_t length(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

/// How many bytes lie before a character that is cut off at the end of a text, and may be completed: all, if none is.
inline std::size_t whole_characters(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const std::string_view end = text.substr(text.size() - back);
    if ((static_cast<unsigned char>(end[0]) & 0xC0) == 0x80) continue;
    const Character last = decode(end);
    return last.flaw == Flaw::cut && last.size == back ? text.size() - back : text.size();
  }
  return text.size();
}

/// At least `digits` hexadecimal digits.
[[gnu::cold]] inline std::string hex(std::uint32_t value, int digits) {
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4)
    if (shift < 4 * digits || value >> shift != 0) out += "0123456789ABCDEF"[value >> shift & 15];
  return out;
}

/// A character for messages: 'x' (U+0078); what does not show has its number only.
[[gnu::cold]] inline std::string printable(char32_t code) {
  std::string out;
  if (code == '\n' || code == '\t' || code == '\r') {
    out = std::string("'\\") + (code == '\n' ? 'n' : code == '\t' ? 't' : 'r') + "' ";
  } else if (code >= 0x20 && !(code >= 0x7F && code < 0xA0)) {
    out = "'";
    append(code, out);
    out += "' ";
  }
  return out.empty() ? "U+" + hex(code, 4) : out + "(U+" + hex(code, 4) + ")";
}

}  // namespace rwkv::utf8
