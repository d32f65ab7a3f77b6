#pragma once
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/core/config.hpp>
#include <rwkv/core/number_text.hpp>
#include <rwkv/drawing/grouped.hpp>

namespace drawing {

/// `binary` is logarithmic with powers of two for round numbers, for what is counted in them.
enum class Scale { linear, logarithmic, binary };

/// 1000 is 1k, 0.001 is 1m.
inline std::string short_value(double value) {
  const std::pair<double, const char*> units[] = {{1e9, "G"}, {1e6, "M"},  {1e3, "k"},
                                                  {1, ""},    {1e-3, "m"}, {1e-6, "µ"}};
  if (value == 0) return "0";
  for (const auto& [unit, name] : units)
    if (value >= unit * 0.9999) return rwkv::number_text(value / unit, 3) + name;
  return rwkv::number_text(value, 1);
}

/// Values from `low` to `high`, and the pixels where they lie.
struct Axis {
  Scale scale;
  double low, high, from, to;

  double operator()(double value) const {
    const double part = scale == Scale::linear ? (value - low) / (high - low)  //
                                               : std::log(value / low) / std::log(high / low);
    return from + (to - from) * part;
  }
  /// The round numbers on it where lines are drawn across, at most `most`: powers of two, or 1, 2 and 5 times powers of
  /// ten, of which a long axis shows fewer and a short one all multiples.
  std::vector<double> ticks(std::size_t most = 8) const {
    std::vector<double> all;
    if (scale == Scale::logarithmic) all = multiples_of_powers(10, {1, 2, 5}, most);
    if (scale == Scale::binary) all = multiples_of_powers(2, {1}, most);
    if (all.size() > 2) return all;
    all.clear();
    const double room = double(scale == Scale::linear ? most : most / 2);  // logarithms lie close at the upper end
    double step = std::pow(10, std::floor(std::log10((high - low) / room)));
    for (const double more : {2.0, 2.5, 2.0})  // 1, 2, 5, 10 times a power of ten
      if ((high - low) / step > room) step *= more;
    for (double n = std::ceil(low / step - 1e-9); n * step <= high + step * 1e-9; ++n) all.push_back(n * step + 0.0);
    return all;
  }
  /// What stands beside a tick.
  std::string label(double tick) const {
    const bool whole = tick >= 1000 && (scale == Scale::binary || high < 2e4);
    if (whole) return grouped(rwkv::fixed_text(tick, 0));
    return tick >= 1000 || (low > 0 && low < 0.01) ? short_value(tick) : rwkv::number_text(tick, 4);
  }

 private:
  /// Of all powers; where that is too many, the powers alone, then every second of them, every third, ...
  std::vector<double> multiples_of_powers(double base, const std::vector<double>& factors, std::size_t most) const {
    std::vector<double> all;
    for (int stride = 0; stride == 0 || all.size() > most; ++stride) {
      all.clear();
      for (double n = std::floor(std::log(low) / std::log(base) - 1e-9); std::pow(base, n) <= high * 1.0001; ++n)
        for (const double factor : stride == 0 ? factors : std::vector<double>{1})
          if (const double x = factor * std::pow(base, n); std::fmod(n, std::max(1, stride)) == 0)
            if (x >= low * 0.9999 && x <= high * 1.0001) all.push_back(x);
    }
    return all;
  }
};

}  // namespace drawing
