#pragma once
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include <rwkv/core/error.hpp>

namespace bench {

/// What a GPU does in a second: bytes of a copy, read and written, and operations of large products.
struct Rates {
  double bytes, products_fp32, products_bf16;
};

/// What others took for the same, by name: lines of a name, a tab and milliseconds; other lines say nothing.
using Milliseconds = std::map<std::string, double>;
inline Milliseconds read_milliseconds(const char* path) {
  std::ifstream file(path);
  if (!file) throw rwkv::Error("gpu_table: cannot read ", path);
  Milliseconds all;
  for (std::string line; std::getline(file, line);)
    if (const auto tab = line.find('\t'); tab != line.npos)
      all[line.substr(0, tab)] = std::strtod(line.c_str() + tab + 1, nullptr);
  return all;
}

/// Prints a line for each figure when it is known: what it took, the least that its bytes and operations could take at
/// the rates of this very GPU, and what PyTorch took.
class Table {
 public:
  Table(const Rates& rates, Milliseconds torch) : rates_(rates), torch_(std::move(torch)) {
    std::printf("| %-*s | %9s | %9s | %6s | %11s | %14s |\n|---|---|---|---|---|---|\n", width, "figure", "ms",
                "floor, ms", "share", "PyTorch, ms", "PyTorch / ours");
    std::fflush(stdout);
  }
  void note(const std::string& name, double ms, double bytes, double operations, bool bf16) const {
    const double products = bf16 ? rates_.products_bf16 : rates_.products_fp32;
    const double floor = std::max(bytes / rates_.bytes, operations / products) * 1e3;
    std::printf("| %-*s | %9.4f | %9.4f | %5.0f%% | ", width, name.c_str(), ms, floor, 100 * floor / ms);
    if (const auto found = torch_.find(name); found != torch_.end())
      std::printf("%11.4f | %14.2f |\n", found->second, found->second / ms);
    else
      std::printf("%11s | %14s |\n", "", "");
    std::fflush(stdout);
  }

 private:
  static constexpr int width = 47;
  Rates rates_;
  Milliseconds torch_;
};

}  // namespace bench
