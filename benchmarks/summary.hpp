#pragma once
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace bench {

/// {"median": ..., "min": ..., "max": ...}
inline std::string summary(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size(), half = n / 2;
  const double median = n == 0 ? 0 : n % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  char text[120];
  std::snprintf(text, sizeof text, "{\"median\": %.3f, \"min\": %.3f, \"max\": %.3f}", median, n ? values.front() : 0,
                n ? values.back() : 0);
  return text;
}

}  // namespace bench
