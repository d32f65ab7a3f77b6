#pragma once
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <rwkv/core/number_text.hpp>
#include <rwkv/core/utf8.hpp>

namespace rwkv::detail {

/// Strict JSON (RFC 8259) in UTF-8, 127 objects and arrays deep at most, read piece by piece. Each piece calls one of
/// the functions begin_object, key, end_object, begin_array, end_array, string, number of 64 bits, negative_number,
/// odd_number with its text, boolean (with its value, where it takes one) and null of `events`, which returns false to
/// stop. It is ours because headers need little of JSON, while nlohmann/json would cost every user four seconds of
/// compiling.
template <class Events>
class JsonReader {
 public:
  JsonReader(std::string_view text, Events& events) : text_(text), events_(events) {}

  /// Returns the first byte, counted from 1, that cannot stand where it is, or begins a character that is no UTF-8: one
  /// past the end if something is missing, 0 if all was read or an event stopped it.
  std::size_t read() {
    if (value(0) && next() != end) wrong();
    return wrong_ ? at_ + 1 : 0;
  }

 private:
  static constexpr int end = -1, deepest = 127;

  int peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : end; }
  int next() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++at_;
    return peek();
  }
  bool wrong() {
    wrong_ = true;
    return false;
  }
  bool skip(int c) { return peek() == c ? (++at_, true) : wrong(); }
  bool word(const char* rest) { return *rest == 0 || (skip(*rest) && word(rest + 1)); }

  bool value(int depth) {
    const int c = next();
    if (c == '{' || c == '[') return depth < deepest ? members(c == '{', depth) : wrong();
    if (c == '"') return string() && events_.string(std::move(string_));
    if (c == 'n') return word("null") && events_.null();
    if (c == 't' || c == 'f') return word(c == 't' ? "true" : "false") && boolean(c == 't');
    return number();
  }
  bool boolean(bool value) {
    if constexpr (requires { events_.boolean(value); })
      return events_.boolean(value);
    else
      return events_.boolean();
  }
  bool key() { return next() == '"' ? string() && events_.key(std::move(string_)) && (next(), skip(':')) : wrong(); }
  bool members(bool object, int depth) {
    const char close = object ? '}' : ']';
    if (++at_; !(object ? events_.begin_object() : events_.begin_array())) return false;
    for (bool more = next() != close; more; more = next() == ',' && ++at_ > 0)
      if ((object && !key()) || !value(depth + 1)) return false;
    return skip(close) && (object ? events_.end_object() : events_.end_array());
  }
  bool number() {
    const std::size_t first = at_;
    at_ += peek() == '-';
    if (peek() == '0' ? (++at_, false) : !digits()) return false;
    const std::size_t whole = at_;
    if (peek() == '.' && (++at_, !digits())) return false;
    if ((peek() | 32) == 'e' && (++at_, at_ += peek() == '+' || peek() == '-', !digits())) return false;
    const std::string text(text_.substr(first, at_ - first));
    if (at_ == whole && text[0] == '-') return events_.negative_number();
    std::uint64_t n = 0;
    if (at_ == whole && std::from_chars(text.data(), text.data() + text.size(), n).ec == std::errc())
      return events_.number(n);
    if (!rwkv::number_in(text) && text.find('-', 1) == text.npos)
      return --at_, wrong();  // beyond the numbers of a double
    return events_.odd_number(text);
  }
  bool digits() {
    const std::size_t first = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > first || wrong();
  }
  /// Into string_.
  bool string() {
    string_.clear();
    for (++at_; peek() != '"';)
      if (!(peek() == '\\' ? (++at_, escape()) : character())) return false;
    return skip('"');
  }
  bool character() {
    if (peek() == end || peek() < 0x20) return wrong();
    const utf8::Character c = utf8::decode(text_.substr(at_));
    if (c.flaw != utf8::Flaw::none) return wrong();
    string_ += text_.substr(at_, c.size);
    at_ += c.size;
    return true;
  }
  bool escape() {
    constexpr std::string_view names = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const std::size_t which = peek() == end ? names.npos : names.find(text_[at_]);
    if (which != names.npos) return string_ += meanings[which], ++at_, true;
    std::uint32_t code = 0, low = 0;
    if (!unit(code)) return false;
    const bool pair = code >= 0xD800 && code < 0xDC00;
    if (pair && (!skip('\\') || !unit(low))) return false;
    const bool second = (pair ? low : code) >= 0xDC00 && (pair ? low : code) < 0xE000;
    if (second != pair) return --at_, wrong();
    if (pair) code = 0x10000 + ((code & 1023) << 10 | (low & 1023));
    utf8::append(code, string_);
    return true;
  }
  /// A u and its four hexadecimal digits.
  bool unit(std::uint32_t& code) {
    if (!skip('u')) return false;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int c = peek(), letter = c | 32;
      if (!(c >= '0' && c <= '9') && !(letter >= 'a' && letter <= 'f')) return wrong();
      code = code << 4 | std::uint32_t(c <= '9' ? c - '0' : letter - 'a' + 10);
    }
    return true;
  }

  std::string_view text_;
  Events& events_;
  std::size_t at_ = 0;
  bool wrong_ = false;
  std::string string_;
};

}  // namespace rwkv::detail
