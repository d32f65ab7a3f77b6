#pragma once
#include "article_sink.hpp"
#include "input_files.hpp"
#include "json_articles.hpp"
#include "text_file.hpp"
#include "unescaped.hpp"

namespace compare {

enum class TextKind { plain, docs, json };

/// By its beginning. Error for what is no text yet.
inline TextKind kind_of(const TextFile& file) {
  std::string_view head = file.ahead();
  for (const std::string_view magic :
       {"BZh", "\x1F\x8B", "\x28\xB5\x2F\xFD", "\xFD\x37zXZ", "PK\x03\x04", "7z\xBC\xAF"})
    if (head.starts_with(magic))
      throw rwkv::Error(file.path(), ": is compressed; unpack it first. For Wikipedia, ", where_dumps_are);
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF"))
    throw rwkv::Error(file.path(), ": expected UTF-8, found UTF-16; convert it, as with iconv -f UTF-16 -t UTF-8");
  const auto skip_space = [&] { head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size())); };
  skip_space();
  if (head.starts_with("<mediawiki") || head.starts_with("<?xml"))
    throw rwkv::Error(file.path(), ": is a dump with its markup; take the text out first: ", where_dumps_are);
  if (head.starts_with("<doc ") || head.starts_with("<doc>")) return TextKind::docs;
  const char first = head.empty() ? ' ' : head[0];
  if (first != '{' && first != '[') return TextKind::plain;
  head.remove_prefix(1);
  skip_space();
  if (first == '[' && head.starts_with(']') && head.find_first_not_of(" \t\r\n", 1) == head.npos) return TextKind::json;
  const std::string_view follows = first == '{' ? "\"}" : "{\"";
  return !head.empty() && follows.find(head[0]) != follows.npos ? TextKind::json : TextKind::plain;
}

/// Articles between lines <doc ...> and </doc>, WikiExtractor's escapes undone.
template <class Sink>
void read_doc_articles(TextFile& file, Sink& sink) {
  std::string line;
  std::size_t number = 1, begun = 0;  // the line of the article's <doc
  const auto fail = [&](const std::string& expected, const std::string& found) {
    throw rwkv::Error(file.path(), ": line ", number, ": expected ", expected, ", found ", found,
                      "; mend it, or take the text out again");
  };
  const auto end = [&] { return "</doc> after the <doc ...> of line " + std::to_string(begun); };
  for (; file.get_line(line); number = file.line_number()) {
    const std::string_view word = std::string_view(line).substr(0, line.find_last_not_of(" \t") + 1);
    const bool opens = word.starts_with("<doc ") || word == "<doc>";
    if (opens && begun > 0) fail(end(), "another <doc ...>");
    if (opens && !word.ends_with('>')) fail("<doc ...> on a line of its own", rwkv::in_quotes(word));
    if (!opens && begun == 0 && !word.empty()) fail("<doc ...>", rwkv::in_quotes(word));
    if (opens) {
      begun = number;
    } else if (word == "</doc>") {
      sink.end();
      begun = 0;
    } else if (begun > 0) {
      sink.line(unescaped(line));
    }
  }
  if (begun > 0) fail(end(), "the end of the file");
}

/// Every paragraph is an article; a blank line ends it. Error where it turns out to be one of the others with something
/// before it.
template <class Sink>
void read_paragraphs(TextFile& file, Sink& sink) {
  bool inside = false;
  std::size_t number = 1;
  for (std::string line; file.get_line(line); number = file.line_number()) {
    const bool doc = line.starts_with("<doc id=") && line.ends_with('>'),
               record = line.starts_with("{\"") && line.ends_with('}') && line.find("\"text\":") != line.npos;
    if (doc || record)
      throw rwkv::Error(file.path(), ": line ", number, ": expected plain text, as the file begins, found ",
                        rwkv::in_quotes(line), "; remove what stands before the first article");
    const bool blank = line.find_first_not_of(" \t") == line.npos;
    if (!blank || inside) sink.line(line);
    if (blank && inside) sink.end();
    inside = !blank;
  }
}

/// Reads one file: begin() before every article, line(text) for each of its lines, progress(bytes) as it goes on.
/// WikiExtractor's <doc> and JSON bring their articles; of a plain text every paragraph is one. Returns how many
/// articles had no text.
template <class Begin, class Line, class Progress>
std::size_t read_articles(const std::string& path, Begin&& begin, Line&& line, Progress&& progress) {
  TextFile file(path, progress);
  ArticleSink sink(begin, line);
  switch (kind_of(file)) {
    case TextKind::docs:
      read_doc_articles(file, sink);
      break;
    case TextKind::json:
      read_json_articles(file, sink);
      break;
    case TextKind::plain:
      read_paragraphs(file, sink);
  }
  return sink.without_text();
}

}  // namespace compare
