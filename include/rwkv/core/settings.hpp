#pragma once
#include <charconv>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// Names and values, in the order in which messages name them: what decides the numbers of a training run.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// "0.0006", "1e-05": the fewest digits that read back as the same number, whatever the locale.
[[gnu::cold, gnu::noinline]] inline std::string shortest(double x) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, x, std::chars_format::general).ptr};
}

}  // namespace rwkv
