#pragma once
#include <string>

#include <rwkv/core/config.hpp>

namespace drawing {

/// A number for readers, with commas between its thousands: "1,048,576", "-1,234.5". Texts that are no number stay.
[[gnu::noinline]] inline std::string grouped(std::string number) {
  constexpr const char* digits = "0123456789";
  const std::size_t first = number.starts_with('-') ? 1 : 0, end = number.find_first_not_of(digits, first);
  std::size_t at = end == std::string::npos ? number.size() : end;
  if (at == number.size() || (number[at] == '.' && number.find_first_not_of(digits, at + 1) == std::string::npos))
    for (; at > first + 3; number.insert(at, ",")) at -= 3;
  return number;
}

}  // namespace drawing
