#pragma once
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

// What a figure needs beside it: the processor, and the memory that the process took.
namespace bench {

/// "AMD EPYC, family 25 model 1, avx2"
inline std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line, name, family, model, flags;
  const auto value = [&] { return line.substr(std::min(line.size(), line.find(':') + 2)); };
  while (std::getline(file, line) && !line.empty()) {
    if (line.starts_with("model name"))
      name = value();
    else if (line.starts_with("model"))
      model = value();
    else if (line.starts_with("cpu family"))
      family = value();
    else if (line.starts_with("flags"))
      flags = value() + " ";
  }
  std::string text = name + ", family " + family + " model " + model;
  for (const char* wide : {"avx2", "avx512f"})
    if (flags.find(std::string(" ") + wide + " ") != std::string::npos) text += std::string(", ") + wide;
  return text;
}

/// The most memory that this process ever held, in units of 2^20 bytes.
inline double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

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
