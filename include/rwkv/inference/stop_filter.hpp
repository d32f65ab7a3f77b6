#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <rwkv/core/error.hpp>

namespace rwkv {

/// A text that grows token by token: decides what of it may be shown already. That is whole UTF-8 characters, and
/// nothing that is a stop text or may become one. What is shown does not depend on how the text is cut into tokens.
class StopFilter {
 public:
  explicit StopFilter(std::vector<std::string> stops) : stops_(std::move(stops)) {
    for (const std::string& stop : stops_)
      if (stop.empty()) throw Error("stop texts: expected at least one character, found an empty text; leave it out");
  }

  /// New text is appended here.
  std::string& pending() { return pending_; }
  bool stopped() const { return stopped_; }

  /// Removes and returns what may be shown.
  std::string take() {
    std::size_t first = std::string::npos, end = std::string::npos;  // of the stop text that is complete first
    std::size_t held = pending_.size();                              // where one may have begun
    for (const std::string& stop : stops_) {
      if (const std::size_t at = pending_.find(stop); at != std::string::npos) {
        const auto found = std::pair(at + stop.size(), at);
        if (found < std::pair(end, first)) std::tie(end, first) = found;
      }
      for (std::size_t n = std::min(stop.size() - 1, pending_.size()); n > 0; --n)
        if (pending_.ends_with(std::string_view(stop).substr(0, n))) {
          held = std::min(held, pending_.size() - n);
          break;
        }
    }
    stopped_ = first != std::string::npos;
    std::string shown =
        pending_.substr(0, stopped_ ? first : utf8::whole_characters(std::string_view(pending_).substr(0, held)));
    pending_.erase(0, stopped_ ? std::string::npos : shown.size());
    return shown;
  }
  /// Removes and returns everything: the text has ended.
  std::string take_rest() { return std::exchange(pending_, {}); }

 private:
  std::vector<std::string> stops_;
  std::string pending_;
  bool stopped_ = false;
};

}  // namespace rwkv
