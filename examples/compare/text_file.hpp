#pragma once
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <rwkv/core/error.hpp>

namespace compare {

/// A file of text, read once from beginning to end without holding it. A byte-order mark is skipped; lines end with LF,
/// CR LF or CR.
class TextFile {
 public:
  /// `progress` is told of bytes as they are read.
  explicit TextFile(const std::string& path, std::function<void(std::size_t)> progress = {})
      : path_(path), file_(path, std::ios::binary), progress_(std::move(progress)) {
    if (!file_) throw rwkv::Error(path, ": cannot be opened; check its permissions");
    fill();
    if (std::string_view(buffer_).starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  const std::string& path() const { return path_; }
  std::size_t line_number() const { return line_; }  ///< of the next character, from 1
  /// What comes next, as far as it is in memory: at the start, a good part of the file.
  std::string_view ahead() const { return std::string_view(buffer_).substr(at_); }
  bool at_end() { return at_ == buffer_.size() && !fill(); }

  /// The next character; the file must not be at its end.
  char get() {
    const char c = buffer_[at_++];
    const bool ends = c == '\n' || (c == '\r' && (at_end() || buffer_[at_] != '\n'));
    line_ += ends;
    return c;
  }
  /// The next line, without its end; false at the end of the file.
  bool get_line(std::string& line) {
    line.clear();
    if (at_end()) return false;
    for (const std::size_t number = line_; !at_end() && line_ == number;) line += get();
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    return true;
  }

 private:
  bool fill() {
    buffer_.resize(std::size_t{1} << 16);
    file_.read(buffer_.data(), std::streamsize(buffer_.size()));
    buffer_.resize(std::size_t(file_.gcount()));
    at_ = 0;
    if (file_.bad()) throw rwkv::Error(path_, ": cannot be read to its end; check the disk");
    if (progress_) progress_(buffer_.size());
    return !buffer_.empty();
  }

  std::string path_;
  std::ifstream file_;
  std::function<void(std::size_t)> progress_;
  std::string buffer_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace compare
