#pragma once
#include <algorithm>
#include <string>
#include <string_view>

#include <rwkv/core/error.hpp>
#include <rwkv/core/utf8.hpp>

namespace rwkv::utf8 {

/// "name: byte 17, line 3": bytes count from 0, lines from 1.
[[gnu::cold]] inline std::string place(const std::string& name, std::string_view text, std::size_t at) {
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  return name + ": byte " + std::to_string(at) + ", line " + std::to_string(line);
}

/// The complaint about the bytes at `at`, which decode refused.
[[gnu::cold]] inline Error invalid(const std::string& name, std::string_view text, std::size_t at) {
  const Character found = decode(text.substr(at));
  std::string bytes;
  for (std::size_t i = at; i < at + found.size; ++i) bytes += hex(static_cast<unsigned char>(text[i]), 2) + ' ';
  return Error(place(name, text, at), ": expected UTF-8, found ", bytes, "(", words(found.flaw),
               "); convert the text to UTF-8, or read it with Bytes, which takes anything");
}

/// Calls each(code point, byte offset) for every character. Throws Error at the first byte that is not UTF-8.
template <class Each>
void for_each(std::string_view text, const std::string& name, Each&& each) {
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode(text.substr(at));
    if (c.flaw != Flaw::none) throw invalid(name, text, at);
    each(c.code, at);
    at += c.size;
  }
}

/// Throws Error, with the place and the reason, at the first byte that is not UTF-8.
inline void check(std::string_view text, const std::string& name = "text") {
  for_each(text, name, [](char32_t, std::size_t) {});
}

}  // namespace rwkv::utf8
