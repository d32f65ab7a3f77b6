#pragma once
#include <algorithm>
#include <string>
#include <string_view>

#include <rwkv/core/quoted.hpp>
#include <rwkv/io/json_events.hpp>

#include "text_file.hpp"
#include "unescaped.hpp"

namespace compare {
namespace detail {

/// The "text" of a record, and the names of all it has.
struct TextOfRecord {
  std::string text, keys, last;
  bool has_text = false, odd = false;  ///< odd: the text is no string
  int depth = 0;

  bool begin_object() { return other(), ++depth > 0; }
  bool end_object() { return --depth >= 0; }
  bool begin_array() { return other(), ++depth > 0; }
  bool end_array() { return --depth >= 0; }
  bool key(std::string name) {
    if (depth == 1) keys += (keys.empty() ? "" : ", ") + rwkv::in_quotes(name), has_text |= name == "text";
    last = std::move(name);
    return true;
  }
  bool string(std::string value) {
    if (of_text()) text = std::move(value);
    return true;
  }
  bool null() { return true; }
  bool number(std::uint64_t) { return other(); }
  bool negative_number() { return other(); }
  bool odd_number(const std::string&) { return other(); }
  bool boolean() { return other(); }

 private:
  bool of_text() const { return depth == 1 && last == "text"; }
  bool other() { return odd |= of_text(), true; }
};

/// An object of JSON, from its first bracket to its last, to be checked by JsonReader. Ends early where a string does
/// not end on its line.
inline std::string object_text(TextFile& file) {
  std::string text;
  int depth = 0;
  bool quoted = false, escaped = false;
  do {
    const char c = file.get();
    text += c;
    if (!quoted) {
      depth += (c == '{' || c == '[') - (c == '}' || c == ']');
      quoted = c == '"';
    } else if (c == '\n' || c == '\r') {
      return text;
    } else {
      quoted = escaped || c != '"';
      escaped = !escaped && c == '\\';
    }
  } while (depth > 0 && !file.at_end());
  return text;
}
inline bool skip_space(TextFile& file) {
  while (!file.at_end() && std::string_view(" \t\r\n").find(file.ahead()[0]) != std::string_view::npos) file.get();
  return !file.at_end();
}
}  // namespace detail

/// Records with a "text", WikiExtractor's escapes undone: lines of JSON, objects over several lines, or an array of
/// them.
template <class Sink>
void read_json_articles(TextFile& file, Sink& sink) {
  using namespace detail;
  const auto fail = [&](std::size_t line, const std::string& expected, const std::string& found) {
    throw rwkv::Error(file.path(), ": line ", line, ": expected ", expected, ", found ", found,
                      "; remove it, or take the text out again");
  };
  const auto next = [&] { return file.at_end() ? '\0' : file.ahead()[0]; };
  const auto found = [&] {
    return file.at_end() ? "the end of the file" : rwkv::in_quotes(file.ahead().substr(0, 20));
  };
  std::string keys;  // of the first record without a text
  std::size_t line_of_keys = 0, with_text = 0;
  const bool array = skip_space(file) && next() == '[';
  if (array) file.get();
  for (bool first = true; skip_space(file) || array; first = false) {
    if (array && next() == ']') {
      file.get();
      if (skip_space(file)) fail(file.line_number(), "the end of the file after its array", found());
      break;
    }
    if (array && !first) {
      if (next() != ',') fail(file.line_number(), "a comma or a ]", found());
      file.get(), skip_space(file);
    }
    if (next() != '{') fail(file.line_number(), "an object of JSON", found());
    const std::size_t line = file.line_number();
    const std::string text = object_text(file);
    TextOfRecord record;
    if (const std::size_t wrong = rwkv::detail::JsonReader(text, record).read()) {
      const std::string_view before = std::string_view(text).substr(0, wrong - 1);
      const std::size_t lines = std::size_t(std::count(before.begin(), before.end(), '\n'));
      fail(line + lines, "JSON",
           (wrong > text.size() ? "the end of the file" : rwkv::in_quotes(text.substr(wrong - 1, 20))) + " at byte " +
               std::to_string(wrong - (lines > 0 ? before.rfind('\n') + 1 : 0)));
    }
    if (record.odd) fail(line, "a string as \"text\"", "another kind of value");
    if (!record.has_text && line_of_keys == 0) line_of_keys = line, keys = record.keys;
    with_text += record.has_text;
    sink.lines(unescaped(record.text));
    sink.end();
  }
  if (with_text == 0 && line_of_keys > 0)
    throw rwkv::Error(file.path(), ": line ", line_of_keys, ": expected records with the key \"text\", found ",
                      keys.empty() ? "no keys" : "the keys " + keys, "; give the text that name");
}

}  // namespace compare
