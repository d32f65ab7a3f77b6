#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// The tokens of words that were met before. Begins anew when it is full.
class WordCache {
 public:
  static constexpr std::size_t longest_word = 64;  ///< bytes; longer ones seldom come again

  /// The tokens of a word, valid until `add`; nothing if it is not known.
  std::optional<std::span<const std::int32_t>> find(std::string_view word) const {
    const Entry* entry = entry_at(place(word, hash_of(word)));
    if (entry == nullptr) return {};
    return std::span(ids_).subspan(entry->first_id, entry->ids);
  }
  /// Of a word that is not known.
  void add(std::string_view word, std::span<const std::int32_t> ids) {
    if (entries_.size() == most) entries_.clear(), letters_.clear(), ids_.clear(), slots_.assign(fewest, 0);
    if (2 * entries_.size() >= slots_.size()) grow();
    const std::uint64_t hash = hash_of(word);
    slots_[place(word, hash)] = static_cast<std::uint32_t>(entries_.size()) + 1;
    entries_.push_back({hash, static_cast<std::uint32_t>(letters_.size()), static_cast<std::uint32_t>(ids_.size()),
                        static_cast<std::uint16_t>(word.size()), static_cast<std::uint16_t>(ids.size())});
    letters_ += word;
    ids_.insert(ids_.end(), ids.begin(), ids.end());
  }

 private:
  static constexpr std::size_t fewest = 256, most = std::size_t{1} << 17;
  struct Entry {
    std::uint64_t hash;
    std::uint32_t first_letter, first_id;
    std::uint16_t letters, ids;
  };

  static std::uint64_t hash_of(std::string_view word) {
    std::uint64_t hash = word.size();
    for (std::size_t at = 0; at < word.size(); at += 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, word.data() + at, word.size() - at < 8 ? word.size() - at : 8);
      hash = (hash ^ eight) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 32;
    }
    return hash;
  }
  const Entry* entry_at(std::size_t place) const { return slots_[place] == 0 ? nullptr : &entries_[slots_[place] - 1]; }
  /// Of the word's number, or where it would be.
  std::size_t place(std::string_view word, std::uint64_t hash) const {
    for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      const Entry* entry = entry_at(at);
      if (entry == nullptr ||
          (entry->hash == hash && std::string_view(letters_).substr(entry->first_letter, entry->letters) == word))
        return at;
    }
  }
  void grow() {
    slots_.assign(2 * slots_.size(), 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      std::size_t at = entries_[i].hash & (slots_.size() - 1);
      while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = static_cast<std::uint32_t>(i) + 1;
    }
  }

  std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(fewest);  // numbers of entries, counted from 1
  std::vector<Entry> entries_;
  std::string letters_;
  std::vector<std::int32_t> ids_;
};

}  // namespace rwkv::detail
