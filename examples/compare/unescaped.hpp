#pragma once
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <rwkv/core/utf8.hpp>

namespace compare {

/// The code point of a character reference of XML, what stands between & and ;. 0 if it is none.
inline char32_t referred(std::string_view name) {
  for (const auto& [known, c] : {std::pair{"amp", U'&'}, {"lt", U'<'}, {"gt", U'>'}, {"quot", U'"'}, {"apos", U'\''}})
    if (name == known) return c;
  if (!name.starts_with('#')) return 0;
  const bool hexadecimal = name.starts_with("#x") || name.starts_with("#X");
  name.remove_prefix(hexadecimal ? 2 : 1);
  std::uint32_t code = 0;
  const char* end = name.data() + name.size();
  const auto [at, failed] = std::from_chars(name.data(), end, code, hexadecimal ? 16 : 10);
  const bool character = code <= 0x10FFFF && !(code >= 0xD800 && code < 0xE000);
  return failed == std::errc() && at == end && character ? char32_t(code) : 0;
}

/// The text with its character references, such as &lt; and &#8217;, replaced once. What is none stays.
inline std::string unescaped(std::string_view text) {
  constexpr std::size_t longest = 10;  // &#x10FFFF;
  std::string out;
  for (std::size_t at; (at = text.find('&')) != text.npos;) {
    out += text.substr(0, at);
    text.remove_prefix(at);
    const std::size_t end = text.substr(0, longest).find(';');
    const char32_t code = end == text.npos ? 0 : referred(text.substr(1, end - 1));
    if (code != 0)
      rwkv::utf8::append(code, out);
    else
      out += '&';
    text.remove_prefix(code != 0 ? end + 1 : 1);
  }
  return out += text;
}

}  // namespace compare
