#pragma once
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <rwkv/core/number_text.hpp>

namespace bench {

/// {"median": ..., "min": ..., "max": ...}
inline std::string summary(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size(), half = n / 2;
  const double median = n == 0 ? 0 : n % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return "{\"median\": " + rwkv::fixed_text(median, 3) + ", \"min\": " + rwkv::fixed_text(n ? values.front() : 0, 3) +
         ", \"max\": " + rwkv::fixed_text(n ? values.back() : 0, 3) + "}";
}

}  // namespace bench
