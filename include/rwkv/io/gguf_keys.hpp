#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// The keys of a GGUF as its bytes, one after another.
class GgufKeys {
 public:
  std::uint64_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }

  void add(std::string_view key, std::uint32_t value) { begin(key, u32), number(bytes_, value); }
  void add(std::string_view key, float value) { begin(key, f32), number(bytes_, value); }
  void add(std::string_view key, std::string_view value) { begin(key, string), text(bytes_, value); }
  void add(std::string_view key, std::span<const std::string> values) {
    begin_array(key, string, values.size());
    for (const std::string& value : values) text(bytes_, value);
  }
  void add(std::string_view key, std::span<const std::int32_t> values) {
    begin_array(key, i32, values.size());
    for (const std::int32_t value : values) number(bytes_, value);
  }

  /// Little-endian, as all numbers are.
  template <class Number>
  static void number(std::string& bytes, Number n) {
    static_assert(std::is_arithmetic_v<Number>);
    bytes.append(reinterpret_cast<const char*>(&n), sizeof n);
  }
  static void text(std::string& bytes, std::string_view value) {
    number(bytes, std::uint64_t(value.size()));
    bytes += value;
  }

 private:
  enum Type : std::uint32_t { u32 = 4, i32 = 5, f32 = 6, string = 8, array = 9 };

  void begin(std::string_view key, Type type) {
    text(bytes_, key);
    number(bytes_, std::uint32_t(type));
    ++count_;
  }
  void begin_array(std::string_view key, Type type, std::size_t n) {
    begin(key, array);
    number(bytes_, std::uint32_t(type));
    number(bytes_, std::uint64_t(n));
  }

  std::string bytes_;
  std::uint64_t count_ = 0;
};

}  // namespace rwkv
