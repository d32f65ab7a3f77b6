#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// 64 bits that tell one content from another: of two sequences of equally many numbers that differ in one of them,
/// never the same. Not meant against forgery.
class ContentHash {
 public:
  /// `size` is how long the content is, in what its own numbers do not say.
  explicit constexpr ContentHash(std::uint64_t size) : hash_(odd ^ size) {}

  constexpr void add(std::uint64_t number) {
    hash_ = (hash_ ^ number) * odd;  // each step is one to one, in the hash and in the number
    hash_ ^= hash_ >> 32;
  }
  /// A text, and where it ends.
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    for (std::uint64_t eight = 0; !text.empty(); eight = 0) {
      const std::size_t n = text.size() < 8 ? text.size() : 8;
      std::memcpy(&eight, text.data(), n);
      add(eight);
      text.remove_prefix(n);
    }
  }

  constexpr std::uint64_t value() const { return hash_; }
  /// "9f0c21d57a3e4b68"
  [[gnu::cold]] std::string text() const {
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[hash_ >> shift & 15];
    return digits;
  }

 private:
  static constexpr std::uint64_t odd = 0x9E3779B97F4A7C15u;
  std::uint64_t hash_;
};

}  // namespace rwkv
