#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rwkv/core/utf8.hpp>

// Byte-level BPE writes bytes as letters that show: printable ones of Latin-1 as themselves, the others, in their
// order, from U+0100 on (GPT-2's bytes_to_unicode).
namespace rwkv::detail {

constexpr bool shows(unsigned byte) {
  return (byte > 32 && byte < 127) || (byte > 160 && byte < 256 && byte != 173);
}
/// The letter of every byte.
inline constexpr std::array<char32_t, 256> byte_letters = [] {
  std::array<char32_t, 256> letters{};
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) letters[byte] = shows(byte) ? byte : next++;
  return letters;
}();
/// The byte of every letter below U+0144, -1 for other characters.
inline constexpr std::array<std::int16_t, 0x144> letter_bytes = [] {
  std::array<std::int16_t, 0x144> bytes{};
  for (std::int16_t& byte : bytes) byte = -1;
  for (std::int16_t byte = 0; byte < 256; ++byte) bytes[byte_letters[static_cast<std::size_t>(byte)]] = byte;
  return bytes;
}();

/// The letters of some bytes, as UTF-8.
inline std::string letters_of(std::string_view bytes) {
  std::string letters;
  for (const char byte : bytes) utf8::append(byte_letters[static_cast<unsigned char>(byte)], letters);
  return letters;
}
/// The bytes that letters, as UTF-8, stand for; nothing if another character is among them.
inline std::optional<std::string> bytes_of(std::string_view letters) {
  std::string bytes;
  for (std::size_t at = 0; at < letters.size();) {
    const utf8::Character c = utf8::decode(letters.substr(at));
    if (c.flaw != utf8::Flaw::none || c.code >= letter_bytes.size() || letter_bytes[c.code] < 0) return {};
    bytes += static_cast<char>(letter_bytes[c.code]);
    at += c.size;
  }
  return bytes;
}

}  // namespace rwkv::detail
