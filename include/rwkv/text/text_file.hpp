#pragma once
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <rwkv/backend/available_memory.hpp>
#include <rwkv/io/open_file.hpp>

namespace rwkv {

/// The bytes that occur in a text, each once, in their order.
inline std::string distinct_bytes(std::string_view text) {
  std::array<bool, 256> occurs{};
  for (const char c : text) occurs[static_cast<unsigned char>(c)] = true;
  std::string bytes;
  for (std::size_t byte = 0; byte < occurs.size(); ++byte)
    if (occurs[byte]) bytes += static_cast<char>(byte);
  return bytes;
}

/// A text in a file, read piece by piece: it may be larger than memory.
class TextFile : public OpenFile {
 public:
  using OpenFile::OpenFile;

  std::string distinct_bytes() const {
    std::string all, piece;
    for (std::size_t first = 0; first < size(); first += piece.size()) {
      piece.resize(std::min(size() - first, std::size_t{1} << 20));
      read(first, std::as_writable_bytes(std::span(piece)));
      all = rwkv::distinct_bytes(all + rwkv::distinct_bytes(piece));
    }
    return all;
  }
  /// Error where it is larger than the memory that is free.
  std::string whole() const {
    if (size() > detail::large_block && size() > available_memory())
      throw Error(path(), ": expected a text of characters to fit into ", available_memory(),
                  " free bytes of memory, found ", size(), "; take bytes as tokens, which are read from the file");
    std::string text(size(), '\0');
    read(0, std::as_writable_bytes(std::span(text)));
    return text;
  }
};

}  // namespace rwkv
