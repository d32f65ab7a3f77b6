#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <rwkv/io/atomic_file.hpp>
#include <rwkv/text/binidx.hpp>

namespace rwkv {

/// Writes documents of tokens as NAME.bin and NAME.idx, see BinIdx: each document is a sequence. Nothing is there, and
/// old files stay, until `commit`.
class BinIdxWriter {
 public:
  /// Tokens take two bytes if a vocabulary has at most 65,536, else four. `name` may end in .bin or .idx.
  BinIdxWriter(const std::string& name, dim_t vocabulary)
      : tokens_(detail::binidx_stem(name) + ".bin"),
        index_(detail::binidx_stem(name) + ".idx"),
        width_(vocabulary <= 0x10000 ? 2 : 4) {}

  /// Appends to the document. Its tokens are of the vocabulary.
  void add(std::span<const std::int32_t> ids) {
    for (const std::int32_t id : ids)
      for (std::size_t i = 0; i < width_; ++i) buffer_.push_back(static_cast<std::byte>(id >> 8 * i));
    length_ += ids.size();
    if (buffer_.size() >= std::size_t{1} << 20) flush();
  }
  /// Error if the document has 2^31 tokens or more, which an index cannot say.
  void end_document() {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max());
    if (length_ > most)
      throw Error("document ", sizes_.size() + 1, ": expected at most ", most, " tokens, found ", length_,
                  "; cut it into several");
    sizes_.push_back(static_cast<std::int32_t>(length_));
    length_ = 0;
  }
  dim_t documents() const { return static_cast<dim_t>(sizes_.size()); }

  /// Both files to their places. Last call, after the last end_document.
  void commit() {
    flush();
    const std::uint64_t n = sizes_.size(), bounds = n + 1;
    write_index(detail::BinIdxHeader::magic.data(), detail::BinIdxHeader::magic.size());
    const std::uint64_t version = 1;
    const std::uint8_t code = width_ == 4 ? detail::BinIdxHeader::int32 : detail::BinIdxHeader::uint16;
    write_index(&version, 8), write_index(&code, 1), write_index(&n, 8), write_index(&bounds, 8);
    write_index(sizes_.data(), 4 * sizes_.size());
    std::uint64_t at = 0;
    for (const std::int32_t size : sizes_) {
      write_index(&at, 8);
      at += static_cast<std::uint64_t>(size) * width_;
    }
    for (std::uint64_t i = 0; i <= n; ++i) write_index(&i, 8);
    index_.write(buffer_);
    tokens_.commit(), index_.commit();
  }

 private:
  void flush() {
    tokens_.write(buffer_);
    buffer_.clear();
  }
  void write_index(const void* from, std::size_t n) {
    const auto* bytes = static_cast<const std::byte*>(from);
    buffer_.insert(buffer_.end(), bytes, bytes + n);
    if (buffer_.size() < std::size_t{1} << 20) return;
    index_.write(buffer_);
    buffer_.clear();
  }

  AtomicFile tokens_, index_;
  std::size_t width_;
  std::vector<std::byte> buffer_;
  std::vector<std::int32_t> sizes_;
  std::uint64_t length_ = 0;  // of the document that is being written
};

}  // namespace rwkv
