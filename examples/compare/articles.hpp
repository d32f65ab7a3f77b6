#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/io/json_events.hpp>

namespace compare {

inline constexpr const char* where_dumps_are =
    "a dump is https://dumps.wikimedia.org/enwiki/latest/enwiki-latest-pages-articles.xml.bz2, and "
    "`pip install wikiextractor; wikiextractor --json -o FOLDER DUMP` takes the text out of it";

/// Files, and all files below folders, in the order of their names: the same on every machine.
inline std::vector<std::string> input_files(const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code failed;
    if (!fs::exists(path, failed))
      throw rwkv::Error(path, ": expected a file or a folder, found nothing by that name; ", where_dumps_are);
    if (!fs::is_directory(path, failed)) {
      files.push_back(path);
      continue;
    }
    const std::size_t first = files.size();
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file()) files.push_back(entry.path().string());
    std::sort(files.begin() + std::ptrdiff_t(first), files.end());
  }
  if (files.empty()) throw rwkv::Error("expected texts, found none in the folders; ", where_dumps_are);
  return files;
}

/// The "text" of a line of WikiExtractor's JSON.
struct TextOfJson {
  std::string text, last;
  int depth = 0;
  bool begin_object() { return ++depth > 0; }
  bool end_object() { return --depth >= 0; }
  bool begin_array() { return ++depth > 0; }
  bool end_array() { return --depth >= 0; }
  bool key(std::string name) { return last = std::move(name), true; }
  bool string(std::string value) {
    if (depth == 1 && last == "text") text = std::move(value);
    return true;
  }
  bool number(std::uint64_t) { return true; }
  bool negative_number() { return true; }
  bool odd_number(const std::string&) { return true; }
  bool boolean() { return true; }
  bool null() { return true; }
};

/// Reads one file, a line in memory at a time: begin() before every article, line(text) for each of its lines,
/// progress(bytes) after every line of the file. WikiExtractor's <doc> and JSON lines bring their articles; of a plain
/// text every paragraph is one.
template <class Begin, class Line, class Read>
void read_articles(const std::string& path, Begin&& begin, Line&& line, Read&& progress) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw rwkv::Error(path, ": cannot be opened; check its permissions");
  std::string text;
  enum { unknown, plain, docs, json } kind = unknown;
  bool inside = false;
  for (std::size_t number = 1; std::getline(file, text); ++number) {
    progress(text.size() + 1);
    if (!text.empty() && text.back() == '\r') text.pop_back();
    if (kind == unknown && !text.empty()) {
      if (text.starts_with("BZh") || text.starts_with("\x1F\x8B"))
        throw rwkv::Error(path, ": is compressed; unpack it first. For Wikipedia, ", where_dumps_are);
      if (text.starts_with("<mediawiki"))
        throw rwkv::Error(path, ": is a dump with its markup; take the text out first: ", where_dumps_are);
      kind = text.starts_with("<doc ") ? docs : text.starts_with("{\"") ? json : plain;
    }
    if (kind == json) {
      if (text.empty()) continue;
      TextOfJson found;
      if (const std::size_t wrong = rwkv::detail::JsonReader(text, found).read())
        throw rwkv::Error(path, ": line ", number, ", byte ", wrong,
                          ": expected a line of JSON, found something else; "
                          "remove the line, or take the text out again");
      begin();
      for (std::size_t at = 0; at <= found.text.size();) {
        const std::size_t end = std::min(found.text.find('\n', at), found.text.size());
        line(std::string_view(found.text).substr(at, end - at));
        at = end + 1;
      }
    } else if (kind == docs && (text.starts_with("<doc ") || text == "</doc>")) {
      if (text != "</doc>") begin();
    } else if (kind == plain && text.empty()) {
      if (inside) line(text);
      inside = false;
    } else if (kind != unknown) {
      if (kind == plain && !inside) begin();
      inside = true;
      line(text);
    }
  }
  if (file.bad()) throw rwkv::Error(path, ": cannot be read to its end; check the disk");
}

}  // namespace compare
