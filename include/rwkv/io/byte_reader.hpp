#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <rwkv/core/error.hpp>

namespace rwkv::detail {

/// The bytes of a file, or of a part of it, read from front to back. What reaches beyond them is an Error with the
/// file, the place, and the way out that its format knows.
class ByteReader {
 public:
  ByteReader(const std::string& path, std::span<const std::byte> bytes, const char* way_out)
      : bytes_(bytes), path_(path), way_out_(way_out) {}

  std::span<const std::byte> bytes() const { return bytes_; }
  std::uint64_t at() const { return at_; }
  std::uint64_t left() const { return bytes_.size() - at_; }
  /// `at` is one of the bytes or their end.
  void go_to(std::uint64_t at) { at_ = at; }

  /// The next number, at any alignment. `place` says of what it is a part.
  template <class T>
  T number(std::string_view place) {
    T n;
    std::memcpy(&n, take(sizeof n, place).data(), sizeof n);
    return n;
  }
  std::span<const std::byte> take(std::uint64_t size, std::string_view place) {
    if (size > left()) cut_short(place);
    const auto taken = bytes_.subspan(at_, size);
    at_ += size;
    return taken;
  }
  std::string_view text(std::uint64_t size, std::string_view place) {
    const auto taken = take(size, place);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

  template <class... Pieces>
  [[noreturn]] [[gnu::cold]] void refuse(const Pieces&... why) const {
    throw Error(path_, ": ", why..., "; ", way_out_);
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] void cut_short(std::string_view place) const {
    refuse(place, " is cut short at byte ", bytes_.size());
  }

  std::span<const std::byte> bytes_;
  std::uint64_t at_ = 0;
  std::string path_;
  const char* way_out_;
};

}  // namespace rwkv::detail
