#pragma once
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include <rwkv/core/config.hpp>

namespace rwkv {

// Numbers as text, the same whatever locale the program has set: what is written here or elsewhere is read here.

namespace detail {
[[gnu::noinline]] inline std::string printed(double x, std::chars_format how, int digits) {
  char text[512];  // the largest double has 309 digits before the point
  return {text, std::to_chars(text, text + sizeof text, x, how, std::clamp(digits, 0, 100)).ptr};
}
}  // namespace detail

/// At most so many digits that count, as printf's %g: "0.1", "2.857e-05", "nan".
inline std::string number_text(double x, int digits = 9) {
  return detail::printed(x, std::chars_format::general, digits);
}
/// So many digits after the point, as printf's %f: "12.50".
inline std::string fixed_text(double x, int after_point) {
  return detail::printed(x, std::chars_format::fixed, after_point);
}
/// The number that a text is from its first to its last character; nothing for other texts and beyond double's range.
inline std::optional<double> number_in(std::string_view text) {
  double x = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, x);
  return error == std::errc{} && at == end ? std::optional(x) : std::nullopt;
}

}  // namespace rwkv
