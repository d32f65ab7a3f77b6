#pragma once
#include <string>
#include <string_view>

#include <rwkv/core/config.hpp>

namespace rwkv {

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
