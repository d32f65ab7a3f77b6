#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/text/byte_table.hpp>
#include <rwkv/text/text_file.hpp>

namespace rwkv {

/// Tokens by their places, wherever they are kept.
class TokenStorage {
 public:
  virtual ~TokenStorage() = default;
  virtual dim_t size() const = 0;
  /// Tokens first, first + 1, ... into out; they are there. Error if a file does not give them.
  virtual void read(dim_t first, std::span<std::int32_t> out) const = 0;
};

/// A text of which every byte is a token: the file, or the text, and a table.
class ByteTokens final : public TokenStorage {
 public:
  ByteTokens(TextFile file, const ByteTable& table) : file_(std::move(file)), table_(table) {}
  ByteTokens(std::string text, const ByteTable& table) : text_(std::move(text)), table_(table) {}

  dim_t size() const override { return static_cast<dim_t>(file_ ? file_->size() : text_.size()); }
  void read(dim_t first, std::span<std::int32_t> out) const override {
    const auto from = static_cast<std::size_t>(first), n = out.size();
    const auto bytes = std::as_writable_bytes(out).last(n);  // each is read before its place is written to
    if (file_)
      file_->read(from, bytes);
    else if (n > 0)
      std::memcpy(bytes.data(), text_.data() + from, n);
    for (std::size_t i = 0; i < n; ++i) out[i] = table_[static_cast<unsigned char>(bytes[i])];
  }

 private:
  std::optional<TextFile> file_;
  std::string text_;
  ByteTable table_;
};

/// Tokens in memory, in one, two or four bytes each.
class PackedTokens final : public TokenStorage {
 public:
  /// Of a vocabulary of so many; room for `expected` of them.
  explicit PackedTokens(dim_t vocabulary, std::size_t expected = 0)
      : width_(vocabulary <= 0x100     ? 1
               : vocabulary <= 0x10000 ? 2
                                       : 4) {
    bytes_.reserve(expected * width_);
  }
  void add(std::span<const std::int32_t> ids) {
    for (const std::int32_t id : ids)
      for (std::size_t i = 0; i < width_; ++i) bytes_.push_back(static_cast<std::uint8_t>(id >> 8 * i));
  }

  dim_t size() const override { return static_cast<dim_t>(bytes_.size() / width_); }
  void read(dim_t first, std::span<std::int32_t> out) const override {
    const std::uint8_t* next = bytes_.data() + static_cast<std::size_t>(first) * width_;
    for (std::int32_t& id : out) {
      id = 0;
      for (std::size_t i = 0; i < width_; ++i) id |= *next++ << 8 * i;
    }
  }

 private:
  std::size_t width_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace rwkv
