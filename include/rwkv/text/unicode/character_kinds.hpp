#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include <rwkv/text/unicode/categories.hpp>
#include <rwkv/text/unicode/combining.hpp>
#include <rwkv/text/unicode/composition.hpp>
#include <rwkv/text/unicode/decomposition.hpp>

namespace rwkv::unicode {

enum class Category : std::uint8_t { other, letter, number, space };

/// What is asked of every character: its category, and whether canonical composition (NFC) may change it or what stands
/// before it. A table of pages of 256, equal ones once.
class CharacterKinds {
 public:
  /// Made when it is first asked for.
  static const CharacterKinds& table() {
    static const CharacterKinds made;
    return made;
  }

  Category category(char32_t code) const { return static_cast<Category>(at(code) & 3); }
  /// False where a normal form begins anew: what stands before the character has no effect on it or what follows.
  bool joins(char32_t code) const { return (at(code) & joining) != 0; }

 private:
  static constexpr std::uint8_t joining = 4;

  [[gnu::cold]] CharacterKinds() {
    std::vector<std::uint8_t> all(0x110000);
    const auto mark = [&](std::uint32_t first, std::uint32_t count, std::uint8_t bits) {
      for (std::uint32_t code = first; code < first + count; ++code) all[code] |= bits;
    };
    const auto ranges = [&](const auto& table, std::size_t row, std::uint8_t bits) {
      std::uint32_t end = 0;
      for (std::size_t i = 0; i < std::size(table); i += row) {
        mark(end + table[i], table[i + 1], bits);
        end += table[i] + table[i + 1];
      }
    };
    ranges(letters, 2, static_cast<std::uint8_t>(Category::letter));
    ranges(numbers, 2, static_cast<std::uint8_t>(Category::number));
    ranges(spaces, 2, static_cast<std::uint8_t>(Category::space));
    ranges(combining, 3, joining);
    const auto rows = [&](const auto& table, std::size_t row, std::size_t column) {
      for (std::size_t i = 0, code = 0; i < std::size(table); i += row)
        all[column == 0 ? code += table[i] : table[i + column]] |= joining;
    };
    rows(compositions, 3, 2), rows(singletons, 2, 0), rows(excluded, 3, 0);
    mark(0x1161, 21, joining), mark(0x11A8, 27, joining);  // Hangul's vowels and final consonants

    for (std::size_t page = 0; page < page_of_.size(); ++page) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(256 * page);
      std::size_t same = 0;
      while (256 * same < pages_.size() &&
             !std::equal(begin, begin + 256, pages_.begin() + static_cast<std::ptrdiff_t>(256 * same)))
        ++same;
      if (256 * same == pages_.size()) pages_.insert(pages_.end(), begin, begin + 256);
      page_of_[page] = static_cast<std::uint16_t>(same);
    }
  }
  std::uint8_t at(char32_t code) const { return pages_[256 * std::size_t{page_of_[code >> 8]} + (code & 255)]; }

  std::vector<std::uint16_t> page_of_ = std::vector<std::uint16_t>(0x1100);
  std::vector<std::uint8_t> pages_;
};

}  // namespace rwkv::unicode
