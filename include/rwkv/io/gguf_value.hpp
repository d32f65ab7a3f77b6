#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/number_text.hpp>
#include <rwkv/io/byte_reader.hpp>

namespace rwkv {

/// The types of values in GGUF's metadata, by their codes.
enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

/// What a key of a GGUF file stands for: a number, a text, or an array of them. Its bytes are the file's, and live as
/// long as what opened it.
struct GgufValue {
  GgufType type = GgufType::u8;  ///< of an array's elements, if it is one
  bool array = false;
  std::uint64_t count = 1;
  std::span<const std::byte> bytes;  ///< of the elements, one after the other

  /// A scalar as text; an array is none.
  std::string text() const {
    if (array) return {};
    if (type == GgufType::string) return std::string(texts()[0]);
    std::string text;
    each_number([&](auto n) { text = as_text(n); });
    return text;
  }
  /// The texts of an array, or of a text; nothing of numbers. Tokens of a vocabulary come so.
  std::vector<std::string_view> texts() const {
    std::vector<std::string_view> all;
    if (type != GgufType::string) return all;
    all.reserve(count);
    for (std::size_t at = 0; at < bytes.size();) {
      std::uint64_t size;
      std::memcpy(&size, bytes.data() + at, sizeof size);
      all.emplace_back(reinterpret_cast<const char*>(bytes.data()) + at + sizeof size, size);
      at += sizeof size + size;
    }
    return all;
  }
  /// The numbers of an array, or a number, as doubles hold them; nothing of texts.
  std::vector<double> numbers() const {
    std::vector<double> all;
    if (type == GgufType::string) return all;
    all.reserve(count);
    each_number([&](auto n) { all.push_back(double(n)); });
    return all;
  }

 private:
  static std::string as_text(bool b) { return b ? "true" : "false"; }
  static std::string as_text(std::floating_point auto x) { return number_text(double(x), sizeof x == 4 ? 9 : 17); }
  static std::string as_text(std::integral auto n) { return std::to_string(n); }

  template <class F>
  void each_number(const F& f) const {
    switch (type) {
      case GgufType::u8:
        return each<std::uint8_t>(f);
      case GgufType::i8:
        return each<std::int8_t>(f);
      case GgufType::u16:
        return each<std::uint16_t>(f);
      case GgufType::i16:
        return each<std::int16_t>(f);
      case GgufType::u32:
        return each<std::uint32_t>(f);
      case GgufType::i32:
        return each<std::int32_t>(f);
      case GgufType::f32:
        return each<float>(f);
      case GgufType::boolean:
        return each<std::uint8_t>([&](std::uint8_t b) { f(b != 0); });
      case GgufType::u64:
        return each<std::uint64_t>(f);
      case GgufType::i64:
        return each<std::int64_t>(f);
      case GgufType::f64:
        return each<double>(f);
      default:
        return;
    }
  }
  template <class Stored, class F>
  void each(const F& f) const {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(Stored)) {
      Stored n;
      std::memcpy(&n, bytes.data() + at, sizeof n);
      f(n);
    }
  }
};

namespace detail {

/// Bytes of a number of that type; 0 of what has no size of its own, or is no type.
constexpr std::uint64_t value_size(GgufType type) {
  constexpr unsigned char sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return std::size_t(type) < sizeof sizes ? sizes[std::size_t(type)] : 0;
}

/// Reads a text: how many bytes it has, and those.
inline std::string_view gguf_text(ByteReader& file, const std::string& place) {
  const auto size = file.number<std::uint64_t>(place);
  if (size > file.left())
    file.refuse(place, ": a text would have ", size, " bytes, but the file ends after ", file.left(), " of them");
  return file.text(size, place);
}
/// Reads a value: its type, and what that says follows.
[[gnu::cold]] inline GgufValue gguf_value(ByteReader& file, const std::string& place) {
  GgufValue value;
  value.type = GgufType(file.number<std::uint32_t>(place));
  value.array = value.type == GgufType::array;
  if (value.array) {
    value.type = GgufType(file.number<std::uint32_t>(place));
    value.count = file.number<std::uint64_t>(place);
    if (value.type == GgufType::array)
      file.refuse(place, ": expected an array of numbers or texts, found one of arrays");
  }
  const std::uint64_t size = value_size(value.type);
  if (size == 0 && value.type != GgufType::string)
    file.refuse(place, ": expected a type from 0 to 12, found ", std::uint32_t(value.type));
  const std::uint64_t least = size == 0 ? sizeof(std::uint64_t) : size;
  if (value.count > file.left() / least)
    file.refuse(place, ": ", value.count, " values take more than the ", file.left(), " bytes that the file has left");
  const std::uint64_t begin = file.at();
  if (size > 0) file.take(value.count * size, place);
  for (std::uint64_t i = 0; size == 0 && i < value.count; ++i) gguf_text(file, place);
  value.bytes = file.bytes().subspan(begin, file.at() - begin);
  return value;
}

}  // namespace detail
}  // namespace rwkv
