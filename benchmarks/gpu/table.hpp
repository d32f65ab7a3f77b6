#pragma once
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

// One line for each figure: what it took, the least that its bytes and operations could take at the rates of this very
// GPU, and what others took for the same.
namespace bench {

enum Column { in_blocks, portable, torch, columns };

/// What a GPU does in a second: bytes of a copy, read and written, and operations of large products.
struct Rates {
  double bytes, products_fp32, products_bf16;
};

class Table {
 public:
  struct Line {
    std::string name;
    double bytes, operations;
    bool bf16;
    double ms[columns];
  };
  /// Notes milliseconds; the bytes and operations are those of the first that names the line.
  void note(const std::string& name, Column column, double ms, double bytes = 0, double operations = 0,
            bool bf16 = false) {
    auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) { return line.name == name; });
    if (found == lines_.end()) found = lines_.insert(lines_.end(), {name, bytes, operations, bf16, {}});
    found->ms[column] = ms;
  }
  /// Lines of a name, a tab, and milliseconds, for names that are there.
  void read(const std::string& path, Column column) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
      if (const auto tab = line.find('\t'); tab != line.npos)
        for (Line& known : lines_)
          if (known.name == line.substr(0, tab)) known.ms[column] = std::strtod(line.c_str() + tab + 1, nullptr);
  }
  void print(const Rates& rates) const {
    std::printf("| %-28s | %9s | %9s | %6s | %11s | %10s |\n|%s|\n", "figure", "ms", "floor, ms", "share",
                "portable ms", "PyTorch ms", "---|---|---|---|---|---");
    for (const Line& line : lines_) {
      const double products = line.bf16 ? rates.products_bf16 : rates.products_fp32;
      const double floor = std::max(line.bytes / rates.bytes, line.operations / products) * 1e3;
      std::printf("| %-28s | %9.4f | %9.4f | %5.0f%% | %11s | %10s |\n", line.name.c_str(), line.ms[in_blocks], floor,
                  100 * floor / line.ms[in_blocks], text(line.ms[portable]).c_str(), text(line.ms[torch]).c_str());
    }
  }

 private:
  static std::string text(double ms) {
    if (ms == 0) return "";
    char written[32];
    std::snprintf(written, sizeof written, "%.4f", ms);
    return written;
  }
  std::vector<Line> lines_;
};

}  // namespace bench
