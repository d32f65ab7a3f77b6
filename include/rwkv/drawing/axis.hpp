#pragma once
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/core/config.hpp>

namespace drawing {

enum class Scale { linear, logarithmic };

/// Values from `low` to `high`, and the pixels where they lie.
struct Axis {
  Scale scale;
  double low, high, from, to;

  double operator()(double value) const {
    const double part = scale == Scale::logarithmic ? std::log(value / low) / std::log(high / low)  //
                                                    : (value - low) / (high - low);
    return from + (to - from) * part;
  }
  /// Where lines are drawn across: powers of `factor` from `low` on, or some round numbers.
  std::vector<double> ticks(double factor) const {
    std::vector<double> all;
    if (scale == Scale::logarithmic) {
      for (double x = low; x < high * 1.01; x *= factor) all.push_back(x);
      return all;
    }
    double step = std::pow(10, std::floor(std::log10((high - low) / 8)));
    for (const double more : {2.0, 2.5, 2.0})  // 1, 2, 5, 10 times a power of ten
      if ((high - low) / step > 8) step *= more;
    for (double n = std::ceil(low / step - 1e-9); n * step <= high + step * 1e-9; ++n) all.push_back(n * step);
    return all;
  }
};

/// 1000 is 1k, 0.001 is 1m.
inline std::string short_value(double value) {
  const std::pair<double, const char*> units[] = {{1e9, "G"}, {1e6, "M"},  {1e3, "k"},
                                                  {1, ""},    {1e-3, "m"}, {1e-6, "µ"}};
  char text[32];
  if (value == 0) return "0";
  for (const auto& [unit, name] : units)
    if (value >= unit * 0.9999) {
      std::snprintf(text, sizeof text, "%.3g%s", value / unit, name);
      return text;
    }
  std::snprintf(text, sizeof text, "%.0e", value);
  return text;
}

}  // namespace drawing
