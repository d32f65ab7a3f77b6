#pragma once
#include <cstdint>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// A number of 32 bits for each of some numbers of 64 bits: a hash table in one array, half empty, which is filled
/// once.
class FlatMap {
 public:
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  explicit FlatMap(std::size_t most = 0) {
    std::size_t places = 2;
    while (places < 2 * most) places *= 2, --shift_;
    slots_.resize(places);
  }
  /// Adds a key; false, and nothing is changed, if it is there. Value is not `none`; no more than `most` keys.
  bool insert(std::uint64_t key, std::uint32_t value) {
    Slot& slot = slots_[place(key)];
    if (slot.value != none) return false;
    slot = {key, value};
    return true;
  }
  /// `none` if it is not there.
  std::uint32_t find(std::uint64_t key) const { return slots_[place(key)].value; }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t value = none;
  };

  /// Where the key is, or would be.
  std::size_t place(std::uint64_t key) const {
    std::size_t at = static_cast<std::size_t>(key * 0x9E3779B97F4A7C15u >> shift_);
    while (slots_[at].value != none && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  std::vector<Slot> slots_;
  int shift_ = 63;
};

}  // namespace rwkv::detail
