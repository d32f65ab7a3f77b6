#pragma once
#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/text/world/python_literal.hpp>

// Vocabulary files of the World tokenizer: one token a line, its number, a Python literal and its length in bytes.
namespace rwkv::detail {

/// Whether a file seems to be one: by its first line.
[[gnu::cold]] inline bool looks_like_world(std::string_view file) {
  const std::string_view row = file.substr(0, file.find('\n'));
  const std::size_t space = row.find(' ');
  return space != 0 && space != row.npos && row.find_first_not_of("0123456789") == space &&
         (row.substr(space).starts_with(" '") || row.substr(space).starts_with(" \"") ||
          row.substr(space).starts_with(" b"));
}

/// The number that the whole text is, in decimal digits; -1 for others.
inline std::int64_t whole_number(std::string_view digits) {
  std::int64_t n = -1;
  const char* end = digits.data() + digits.size();
  const auto [at, failed] = std::from_chars(digits.data(), end, n);
  return failed == std::errc() && at == end && n >= 0 ? n : -1;
}

/// The texts of tokens 0, which has none, to the last, as bytes. Lines end in LF or CRLF and may stand in any order.
/// Error, with the line, for a line that is none, a length that is wrong, and numbers that are not 1 to the number of
/// lines, each once.
[[gnu::cold]] inline std::vector<std::string> world_tokens(std::string_view file, const std::string& name) {
  const auto ends = std::count(file.begin(), file.end(), '\n');
  const std::int64_t lines = ends + (!file.empty() && file.back() != '\n');
  std::vector<std::string> texts(static_cast<std::size_t>(lines) + 1);
  for (std::int64_t number = 1; number <= lines; ++number) {
    const std::size_t end = std::min(file.find('\n'), file.size());
    std::string_view row = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    const auto wrong = [&](const auto&... pieces) {
      return Error(name, ": line ", number, ": expected ", pieces..., "; download the file again");
    };
    const std::size_t first = row.find(' '), last = row.rfind(' ');
    if (first == row.npos || first == last)
      throw wrong("a number, a Python literal and its length, found ", in_quotes(row));
    const std::int64_t id = whole_number(row.substr(0, first)), size = whole_number(row.substr(last + 1));
    const auto text = python_literal(row.substr(first + 1, last - first - 1));
    if (!text)
      throw wrong("a Python literal such as 'a' or b'\\xff', found ",
                  in_quotes(row.substr(first + 1, last - first - 1)));
    if (size != static_cast<std::int64_t>(text->size()) || size == 0)
      throw wrong("the length of the literal, ", text->size(), " bytes (at least 1), found ",
                  in_quotes(row.substr(last + 1)));
    if (id < 1 || id > lines)
      throw wrong("a token's number from 1 to ", lines, ", as there are so many lines, found ",
                  in_quotes(row.substr(0, first)));
    if (!texts[static_cast<std::size_t>(id)].empty())
      throw wrong("every token once, found a second one of number ", id);
    texts[static_cast<std::size_t>(id)] = *text;
  }
  return texts;
}

/// The texts of a GGUF file's list: number 0 has none, the others are bytes in Python's escapes, without quotes, and
/// at the end may stand "[PAD65530]" and so on, which are no tokens. Error for what is no such text.
[[gnu::cold]] inline std::vector<std::string> world_tokens(std::span<const std::string> escaped,
                                                           const std::string& name) {
  while (!escaped.empty() && escaped.back() == "[PAD" + std::to_string(escaped.size() - 1) + "]")
    escaped = escaped.first(escaped.size() - 1);
  std::vector<std::string> texts(std::max<std::size_t>(escaped.size(), 1));
  for (std::size_t id = 1; id < escaped.size(); ++id) {
    auto text = python_unescaped(escaped[id], true);
    if (!text || text->empty())
      throw Error(name, ": token ", id, ": expected bytes in Python's escapes, found ", in_quotes(escaped[id]),
                  "; the file's tokenizer is another one, or damaged");
    texts[id] = std::move(*text);
  }
  return texts;
}

/// The file that world_tokens reads as these texts.
[[gnu::cold]] inline std::string world_file(std::span<const std::string> texts) {
  std::string file;
  for (std::size_t id = 1; id < texts.size(); ++id)
    file += std::to_string(id) + ' ' + python_literal_of(texts[id]) + ' ' + std::to_string(texts[id].size()) + '\n';
  return file;
}

}  // namespace rwkv::detail
