#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/io/dtype.hpp>

namespace rwkv {

/// Free text that travels with a file: key to value, both UTF-8.
using Metadata = std::map<std::string, std::string>;

/// A tensor in a file: its bytes are [begin, end) of the data, row-major.
struct TensorInfo {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<dim_t> shape;
  std::uint64_t begin = 0, end = 0;
};

/// "(4, 64)"
[[gnu::cold]] inline std::string shape_text(std::span<const dim_t> shape) {
  std::string text = "(";
  for (const dim_t d : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(d);
  return text + ")";
}

/// The bytes of a tensor; nothing if 64 bits cannot count them or an extent is negative.
inline std::optional<std::uint64_t> byte_size(Dtype dtype, std::span<const dim_t> shape) {
  std::uint64_t n = bytes_of(dtype);
  for (const dim_t d : shape)
    if (d < 0 || __builtin_mul_overflow(n, std::uint64_t(d), &n)) return {};
  return n;
}

/// A JSON string, quotes included: control characters escaped, the rest as it is.
[[gnu::noinline]] inline std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
    else
      (out += "\\u00") += {"0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
  }
  return out + '"';
}

}  // namespace rwkv
