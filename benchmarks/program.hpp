#pragma once
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <rwkv/core/number_text.hpp>

namespace bench {

/// Reads the options, then runs the benchmark; whatever goes wrong is said in one line.
template <class F>
int run(CLI::App& app, int argc, char** argv, const F& benchmark) {
  CLI11_PARSE(app, argc, argv);
  try {
    benchmark();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return 2;
  }
}

/// {"median": ..., "min": ..., "max": ...}
inline std::string summary(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size(), half = n / 2;
  const double median = n == 0 ? 0 : n % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return "{\"median\": " + rwkv::fixed_text(median, 3) + ", \"min\": " + rwkv::fixed_text(n ? values.front() : 0, 3) +
         ", \"max\": " + rwkv::fixed_text(n ? values.back() : 0, 3) + "}";
}

}  // namespace bench
