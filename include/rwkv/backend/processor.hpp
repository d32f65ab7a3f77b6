#pragma once
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>

#include <rwkv/core/config.hpp>

// What a figure needs beside it: the processor, and the memory that the process took.
namespace rwkv {

/// "AMD EPYC, family 25 model 1, avx2", as Linux on x86 names it; empty elsewhere.
inline std::string processor_name() {
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
  if (name.empty()) return name;
  std::string text = name + ", family " + family + " model " + model;
  for (const char* wide : {"avx2", "avx512f", "avx512_bf16"})
    if (flags.find(std::string(" ") + wide + " ") != std::string::npos) text += std::string(", ") + wide;
  return text;
}

/// The most memory that this process ever held, in bytes.
inline double peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) * 1024;
}

}  // namespace rwkv
