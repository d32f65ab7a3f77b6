#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/core/number_text.hpp>
#include <rwkv/core/quoted.hpp>

namespace rwkv {

/// Reads CSV (RFC 4180): a line of names, then lines of as many cells, in quotes where they hold commas, quotes or ends
/// of lines. What is damaged is an Error that names the line, what was expected and what was found.
class CsvReader {
 public:
  /// `text` must outlive the reader. `name`, a path, and `way_out` are for messages. Error if it has no line of names.
  CsvReader(std::string_view text, std::string name, std::string way_out)
      : text_(text), name_(std::move(name)), way_out_(std::move(way_out)) {
    if (!read_line()) fail(1, "a line of names", text_.empty() ? "no bytes" : "no end of it");
    names_ = cells_;
  }

  /// Where the column of that name is. Error if there is none.
  std::size_t column(std::string_view column) const {
    const auto at = std::find(names_.begin(), names_.end(), column);
    if (at == names_.end()) fail(1, "a column " + in_quotes(column), "none of that name");
    return static_cast<std::size_t>(at - names_.begin());
  }
  const std::vector<std::string>& names() const { return names_; }

  /// Reads the next line; false at the end, and at a last line that is cut short.
  bool next() {
    if (!read_line()) return false;
    if (cells_.size() != names_.size())
      fail(line_, std::to_string(names_.size()) + " cells", std::to_string(cells_.size()));
    return true;
  }
  /// Whether what follows is a line without its end, as a kill or a full disk leaves one.
  bool cut() const { return cut_; }
  /// Error if it is.
  void expect_whole() const {
    if (cut_) fail(line_, "its end", "none: the line is cut short");
  }

  const std::vector<std::string>& cells() const { return cells_; }
  /// Error unless that cell is a number, which may be nan or inf.
  double number(std::size_t column) const {
    const auto x = number_in(cells_[column]);
    if (!x) fail(line_, "a number as " + names_[column], in_quotes(cells_[column]));
    return *x;
  }

 private:
  [[gnu::noinline]] bool read_line() {
    cells_.assign(1, {});
    ++line_;
    bool quoted = false;
    for (std::size_t at = at_; at < text_.size(); ++at) {
      const char c = text_[at];
      std::string& cell = cells_.back();
      const bool doubled = quoted && text_.substr(at, 2) == "\"\"";
      if (doubled || (c != '"' && (quoted || (c != ',' && c != '\n')))) {
        cell += c;
        at += doubled;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == ',') {
        cells_.emplace_back();
      } else {
        if (cell.ends_with('\r')) cell.pop_back();
        at_ = at + 1;
        return true;
      }
    }
    cut_ = at_ < text_.size();
    return false;
  }
  [[noreturn, gnu::cold]] void fail(std::size_t line, const std::string& expected, const std::string& found) const {
    throw Error(name_, ": line ", line, ": expected ", expected, ", found ", found, "; ", way_out_);
  }

  std::string_view text_;
  std::string name_, way_out_;
  std::vector<std::string> names_, cells_;
  std::size_t at_ = 0, line_ = 0;
  bool cut_ = false;
};

}  // namespace rwkv
