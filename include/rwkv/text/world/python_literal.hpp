#pragma once
#include <optional>
#include <string>
#include <string_view>

#include <rwkv/core/utf8.hpp>

namespace rwkv::detail {

/// The number that `digits` digits of base 2^bits at `at` make, which moves behind them; fewer digits are taken where
/// `fewer` says so. Nothing without a digit.
[[gnu::cold]] inline std::optional<std::uint32_t> escaped_number(std::string_view text, std::size_t& at, int digits,
                                                                 int bits, bool fewer) {
  std::uint32_t number = 0;
  for (int i = 0; i < digits; ++i, ++at) {
    const int c = at < text.size() ? static_cast<unsigned char>(text[at]) : 0, letter = c | 32;
    const int digit = c >= '0' && c <= '9' ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : 16;
    if (digit >= 1 << bits) return fewer && i > 0 ? std::optional(number) : std::nullopt;
    number = number << bits | static_cast<std::uint32_t>(digit);
  }
  return number;
}

/// What stands between the quotes of a Python literal: of characters, which become UTF-8, or of bytes. `\x80` is a code
/// point in the one and a byte in the other; an escape that Python does not know stands for itself. Nothing for what
/// Python refuses or UTF-8 cannot say, and for names of characters (\N{...}).
[[gnu::cold]] inline std::optional<std::string> python_unescaped(std::string_view text, bool of_bytes) {
  constexpr std::string_view names = "\\'\"abfnrtv", meanings = "\\'\"\a\b\f\n\r\t\v";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      const utf8::Character c = utf8::decode(text.substr(at));
      if (c.flaw != utf8::Flaw::none || (of_bytes && c.code >= 0x80)) return {};
      out += text.substr(at, c.size);
      at += c.size;
      continue;
    }
    if (++at == text.size()) return {};
    const char which = text[at];
    if (const std::size_t name = names.find(which); name != names.npos) {
      out += meanings[name], ++at;
      continue;
    }
    const bool octal = which >= '0' && which <= '7', wide = !of_bytes && (which == 'u' || which == 'U');
    if (which == 'N' && !of_bytes) return {};
    if (!octal && !wide && which != 'x') {
      out += '\\';
      continue;
    }
    const int digits = octal ? 3 : which == 'x' ? 2 : which == 'u' ? 4 : 8;
    const auto code = escaped_number(text, at += !octal, digits, octal ? 3 : 4, octal);
    if (!code) return {};
    if (of_bytes)
      out += static_cast<char>(*code & 0xFF);
    else if (*code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000))
      return {};
    else
      utf8::append(*code, out);
  }
  return out;
}

/// A Python literal '...', "...", b'...' or b"...", as bytes; nothing for other texts.
[[gnu::cold]] inline std::optional<std::string> python_literal(std::string_view text) {
  const bool of_bytes = !text.empty() && (text[0] == 'b' || text[0] == 'B');
  text.remove_prefix(of_bytes);
  if (text.size() < 2 || (text[0] != '\'' && text[0] != '"') || text.back() != text[0]) return {};
  const char quote = text[0];
  text = text.substr(1, text.size() - 2);
  for (std::size_t at = 0; at < text.size(); at += text[at] == '\\' ? 2u : 1u)
    if (text[at] == quote || text[at] == '\n' || (text[at] == '\\' && at + 1 == text.size())) return {};
  return python_unescaped(text, of_bytes);
}

/// The literal that Python reads as these bytes: of characters where they are UTF-8.
[[gnu::cold]] inline std::string python_literal_of(std::string_view bytes) {
  std::string inside;
  for (std::size_t at = 0; at < bytes.size();) {
    const utf8::Character c = utf8::decode(bytes.substr(at));
    if (c.flaw != utf8::Flaw::none) {
      inside = "b'";
      for (const char byte : bytes) inside += "\\x" + utf8::hex(static_cast<unsigned char>(byte), 2);
      return inside + '\'';
    }
    if (c.code == '\'' || c.code == '\\')
      (inside += '\\') += static_cast<char>(c.code);
    else if (c.code == '\n' || c.code == '\r' || c.code == '\t')
      (inside += '\\') += c.code == '\n' ? 'n' : c.code == '\r' ? 'r' : 't';
    else if (c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0))
      inside += "\\x" + utf8::hex(c.code, 2);
    else
      inside += bytes.substr(at, c.size);
    at += c.size;
  }
  return '\'' + inside + '\'';
}

}  // namespace rwkv::detail
