#include <rwkv/training/log_line.hpp>

#include "expect.hpp"
#include "targets.hpp"

void fuzz::log(std::string_view input) {
  for (std::size_t end; (end = input.find('\n')) != input.npos; input.remove_prefix(end + 1)) {
    const auto report = rwkv::parse_log_line(input.substr(0, end));
    if (!report) continue;
    expect(report->step > 0, "steps from 1");
    const std::string line = rwkv::log_line(*report);
    const auto again = rwkv::parse_log_line(std::string_view(line).substr(0, line.size() - 1));
    expect(again && again->step == report->step && again->validated == report->validated, "the same line once more");
  }
}
