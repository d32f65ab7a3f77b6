#pragma once
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/text/byte_table.hpp>
#include <rwkv/text/expect_token.hpp>

namespace rwkv {

/// One token per byte: encodes any file and needs no vocabulary. A model's output may end in the middle of a character.
class Bytes {
 public:
  static constexpr std::string_view kind = "bytes";

  static constexpr dim_t size() { return 256; }
  std::vector<std::int32_t> encode(std::string_view text) const {
    std::vector<std::int32_t> ids(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) ids[i] = static_cast<unsigned char>(text[i]);
    return ids;
  }
  /// Adds the byte to out. Error unless 0 <= id < 256.
  void append(std::int32_t id, std::string& out) const {
    expect_token(id, size(), kind);
    out += static_cast<char>(id);
  }

  template <class Each>
  void for_each_id(std::string_view text, const std::string&, Each&& each) const {
    for (const char c : text) each(std::int32_t{static_cast<unsigned char>(c)});
  }
  std::optional<ByteTable> byte_table(std::string_view) const {
    ByteTable table;
    std::iota(table.begin(), table.end(), 0);
    return table;
  }
  std::string vocabulary() const { return {}; }
  static Bytes from_vocabulary(std::string_view) { return {}; }
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

}  // namespace rwkv
