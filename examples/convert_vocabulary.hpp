#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/core/quoted.hpp>
#include <rwkv/core/utf8.hpp>
#include <rwkv/io/mapped_file.hpp>

namespace example {

/// The bytes that a Python literal stands for, '...' a text and b'...' bytes, with either quotes. Error for anything
/// else.
inline std::string python_literal(std::string_view text, const std::string& place) {
  const auto wrong = [&] {
    throw rwkv::Error(place, ": expected a number, a text in Python's quotes and its length, found ",
                      rwkv::in_quotes(text));
  };
  std::string_view rest = text;
  const bool bytes = rest.starts_with('b');
  if (bytes) rest.remove_prefix(1);
  if (rest.size() < 2 || (rest[0] != '\'' && rest[0] != '"') || rest.back() != rest[0]) wrong();
  rest = rest.substr(1, rest.size() - 2);
  std::string result;
  while (!rest.empty()) {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (c != '\\') {
      result += c;
      continue;
    }
    if (rest.empty()) wrong();
    const char kind = rest[0];
    rest.remove_prefix(1);
    constexpr std::string_view letters = "tnr\\'\"abfv", meanings = "\t\n\r\\'\"\a\b\f\v";
    const std::size_t digits = kind == 'x' ? 2 : kind == 'u' && !bytes ? 4 : kind == 'U' && !bytes ? 8 : 0;
    if (const std::size_t at = letters.find(kind); at != letters.npos) {
      result += meanings[at];
      continue;
    }
    if (digits == 0 || rest.size() < digits) wrong();
    std::uint32_t code = 0;
    for (const char digit : rest.substr(0, digits)) {
      const std::size_t value = std::string_view("0123456789abcdef").find(static_cast<char>(digit | 32));
      if (value == std::string_view::npos || digit == 'P') wrong();
      code = code << 4 | static_cast<std::uint32_t>(value);
    }
    rest.remove_prefix(digits);
    if (code > 0x10FFFF) wrong();
    if (bytes)
      result += static_cast<char>(code);
    else
      rwkv::utf8::append(code, result);
  }
  return result;
}

/// The bytes of each token of a World vocabulary by its number, from the file with a line for each: its number, a
/// Python literal, its length in bytes. Tokens that have no line are empty.
inline std::vector<std::string> world_vocabulary(const std::string& path) {
  const rwkv::MappedFile file(path);
  std::vector<std::string> tokens;
  std::string_view rest = file.text();
  for (int line = 1; !rest.empty(); ++line) {
    const std::string place = path + ": line " + std::to_string(line);
    std::string_view text = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
    while (text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
    if (text.empty()) continue;
    const std::size_t first = std::min(text.find(' '), text.size()), last = text.rfind(' ');
    const auto id = rwkv::number_in(text.substr(0, first));
    if (!id || *id < 1 || *id > 1e6 || last <= first || last == text.npos)
      throw rwkv::Error(place, ": expected a line of a World vocabulary, such as 65 '@' 1, found ",
                        rwkv::in_quotes(text));
    const std::string token = python_literal(text.substr(first + 1, last - first - 1), place);
    if (rwkv::number_in(text.substr(last + 1)) != double(token.size()))
      throw rwkv::Error(place, ": expected the length ", token.size(), ", found ", rwkv::in_quotes(text.substr(last)));
    tokens.resize(std::max(tokens.size(), static_cast<std::size_t>(*id) + 1));
    tokens[static_cast<std::size_t>(*id)] = token;
  }
  if (tokens.empty()) throw rwkv::Error(path, ": expected a World vocabulary, found no token");
  return tokens;
}

}  // namespace example
