#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include <rwkv/core/utf8.hpp>

namespace rwkv {

// Texts from files and names of files, for messages: whatever they hold, a terminal shows it and obeys nothing.

namespace detail {
/// Adds the first character of `text`, which is not empty, to `out`, as an escape if it would not show; its size.
[[gnu::cold]] inline std::size_t escape(std::string_view text, std::string& out) {
  const utf8::Character c = utf8::decode(text);
  if (c.flaw != utf8::Flaw::none) {
    out += "\\x" + utf8::hex(static_cast<unsigned char>(text[0]), 2);
    return 1;
  }
  const bool ends_line = c.code == 0x2028 || c.code == 0x2029, turns = c.code >= 0x202A && c.code <= 0x202E;
  if (c.code == '\n' || c.code == '\t')
    out += c.code == '\n' ? "\\n" : "\\t";
  else if (c.code < 0x20 || c.code == 0x7F)
    out += "\\x" + utf8::hex(c.code, 2);
  else if ((c.code >= 0x80 && c.code < 0xA0) || ends_line || turns || (c.code >= 0x2066 && c.code <= 0x2069))
    out += "\\u" + utf8::hex(c.code, 4);
  else
    out += text.substr(0, c.size);
  return c.size;
}
/// A whole message, in which lines end and nothing else is obeyed.
[[gnu::cold, gnu::noinline]] inline std::string escaped(std::string_view message) {
  std::string out;
  for (std::size_t at = 0; at < message.size();)
    if (message[at] == '\n')
      out += message[at++];
    else
      at += escape(message.substr(at), out);
  return out;
}
[[gnu::cold, gnu::noinline]] inline std::string show(std::string_view text, std::size_t most, std::string_view quote) {
  std::string out(quote);
  std::size_t at = 0;
  for (std::size_t characters = 0; at < text.size() && characters < most; ++characters) {
    if (!quote.empty() && (text[at] == '"' || text[at] == '\\')) out += '\\';
    at += escape(text.substr(at), out);
  }
  if (at < text.size()) out += "...";
  out += quote;
  if (at < text.size()) out += " (" + std::to_string(text.size()) + " bytes)";
  return out;
}
}  // namespace detail

/// A text of at most `most` characters; of a longer one those, and how many bytes it has.
inline std::string shown(std::string_view text, std::size_t most = 80) {
  return detail::show(text, most, "");
}
/// The same in quotes; quotes and backslashes within have a backslash before them.
inline std::string in_quotes(std::string_view text, std::size_t most = 80) {
  return detail::show(text, most, "\"");
}

}  // namespace rwkv
