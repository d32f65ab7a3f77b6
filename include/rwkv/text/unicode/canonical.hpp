#pragma once
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include <rwkv/text/unicode/combining.hpp>
#include <rwkv/text/unicode/composition.hpp>
#include <rwkv/text/unicode/decomposition.hpp>

namespace rwkv::unicode {

/// Canonical decomposition and composition of single characters (Unicode 15, chapter 3.11 and 3.12).
class Canonical {
 public:
  static const Canonical& table() {
    static const Canonical made;
    return made;
  }

  /// Adds the whole decomposition of a character to out.
  void decompose(char32_t code, std::vector<char32_t>& out) const {
    if (code >= hangul && code < hangul + 19 * 21 * 28) {
      const char32_t index = code - hangul, last = index % 28;
      out.push_back(leading + index / (21 * 28)), out.push_back(vowel + index / 28 % 21);
      if (last > 0) out.push_back(trailing + last);
      return;
    }
    const auto found = std::lower_bound(parts_.begin(), parts_.end(), Parts{code, 0, 0}, by_code);
    if (found == parts_.end() || found->code != code) {
      out.push_back(code);
    } else {
      decompose(found->first, out);
      if (found->second != 0) decompose(found->second, out);
    }
  }
  /// The character that two make, 0 if they make none.
  char32_t compose(char32_t first, char32_t second) const {
    if (first >= leading && first < leading + 19 && second >= vowel && second < vowel + 21)
      return hangul + ((first - leading) * 21 + second - vowel) * 28;
    if (first >= hangul && first < hangul + 19 * 21 * 28 && (first - hangul) % 28 == 0 && second > trailing &&
        second < trailing + 28)
      return first + second - trailing;
    const auto found = std::lower_bound(pairs_.begin(), pairs_.end(), Parts{0, first, second}, by_parts);
    return found != pairs_.end() && found->first == first && found->second == second ? found->code : 0;
  }
  std::uint8_t combining_class(char32_t code) const {
    const auto next = std::upper_bound(classes_.begin(), classes_.end(), code,
                                       [](char32_t c, const Class& range) { return c < range.first; });
    return next == classes_.begin() || code >= std::prev(next)->end ? std::uint8_t{0} : std::prev(next)->number;
  }

 private:
  static constexpr char32_t hangul = 0xAC00, leading = 0x1100, vowel = 0x1161, trailing = 0x11A7;
  struct Parts {
    char32_t code, first, second;
  };
  struct Class {
    char32_t first, end;
    std::uint8_t number;
  };
  static bool by_code(const Parts& a, const Parts& b) { return a.code < b.code; }
  static bool by_parts(const Parts& a, const Parts& b) {
    return a.first != b.first ? a.first < b.first : a.second < b.second;
  }

  [[gnu::cold]] Canonical() {
    const auto rows = [](const auto& table, std::size_t row, std::vector<Parts>& into) {
      char32_t code = 0;
      for (std::size_t i = 0; i < std::size(table); i += row)
        into.push_back({code += table[i], table[i + 1], row == 3 ? table[i + row - 1] : 0});
    };
    rows(compositions, 3, pairs_);
    parts_ = pairs_;
    rows(singletons, 2, parts_), rows(excluded, 3, parts_);
    std::sort(parts_.begin(), parts_.end(), by_code);
    std::sort(pairs_.begin(), pairs_.end(), by_parts);
    char32_t end = 0;
    for (std::size_t i = 0; i < std::size(combining); i += 3) {
      const char32_t first = end + combining[i];
      end = first + combining[i + 1];
      classes_.push_back({first, end, static_cast<std::uint8_t>(combining[i + 2])});
    }
  }

  std::vector<Parts> parts_, pairs_;
  std::vector<Class> classes_;
};

}  // namespace rwkv::unicode
