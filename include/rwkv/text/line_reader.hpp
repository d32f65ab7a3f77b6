#pragma once
#include <algorithm>
#include <string>

#include <rwkv/text/text_file.hpp>

namespace rwkv {

/// The lines of a file, one after the other: it may be larger than memory.
class LineReader {
 public:
  explicit LineReader(const std::string& path) : file_(path) {}

  /// The next line, without its end; false after the last.
  bool next(std::string& line) {
    line.clear();
    ++number_;
    for (bool any = false;;) {
      if (at_ == piece_.size() && !refill()) return any;
      any = true;
      const std::size_t end = std::min(piece_.find('\n', at_), piece_.size());
      line.append(piece_, at_, end - at_);
      at_ = std::min(end + 1, piece_.size());
      if (end < piece_.size()) return true;
    }
  }
  /// Of the line that was read last, counted from 1.
  dim_t number() const { return number_; }
  const std::string& path() const { return file_.path(); }

 private:
  bool refill() {
    piece_.resize(std::min(file_.size() - read_, std::size_t{1} << 20));
    at_ = 0;
    if (piece_.empty()) return false;
    file_.read(read_, std::as_writable_bytes(std::span(piece_)));
    read_ += piece_.size();
    return true;
  }

  TextFile file_;
  std::string piece_;
  std::size_t read_ = 0, at_ = 0;
  dim_t number_ = 0;
};

}  // namespace rwkv
