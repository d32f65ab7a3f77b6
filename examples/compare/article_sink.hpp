#pragma once
#include <string>
#include <string_view>

namespace compare {

/// What the articles of a file are given to: begin() before every article, line(text) for each of its lines. An article
/// begins with its first line that is not blank, so one without text never does; those are counted.
template <class Begin, class Line>
class ArticleSink {
 public:
  ArticleSink(Begin& begin, Line& line) : begin_(begin), line_(line) {}

  void line(std::string_view text) {
    if (!begun_ && text.find_first_not_of(" \t") == text.npos) {
      ++blank_;
      return;
    }
    if (!begun_) begin_();
    begun_ = true;
    for (; blank_ > 0; --blank_) line_(std::string_view());
    line_(text);
  }
  /// Of a text of several lines.
  void lines(std::string_view text) {
    for (std::size_t end; (end = text.find_first_of("\r\n")) != text.npos;) {
      line(text.substr(0, end));
      text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
    }
    line(text);
  }
  void end() {
    without_text_ += !begun_;
    begun_ = false;
    blank_ = 0;
  }
  std::size_t without_text() const { return without_text_; }

 private:
  Begin& begin_;
  Line& line_;
  bool begun_ = false;
  std::size_t blank_ = 0, without_text_ = 0;
};

}  // namespace compare
