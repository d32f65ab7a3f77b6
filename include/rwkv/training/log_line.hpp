#pragma once
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include <rwkv/training/step_report.hpp>

namespace rwkv {

/// The first line of log.csv.
inline constexpr std::string_view log_header =
    "step,loss,valid_loss,learning_rate,gradient_norm,tokens_per_second,seconds\n";

/// The line of a step, whatever the locale.
[[gnu::cold]] inline std::string log_line(const StepReport& r) {
  std::string line = std::to_string(r.step);
  char digits[400];
  const auto add = [&](double x, std::chars_format format, int precision) {
    line.append(1, ',').append(digits, std::to_chars(digits, digits + sizeof digits, x, format, precision).ptr);
  };
  add(r.loss, std::chars_format::general, 9);
  r.validated ? add(r.valid, std::chars_format::general, 9) : line.push_back(',');
  add(r.learning_rate, std::chars_format::general, 9);
  add(r.gradient_norm, std::chars_format::general, 9);
  add(r.tokens_per_second, std::chars_format::fixed, 1);
  add(r.seconds, std::chars_format::fixed, 3);
  return line + "\n";
}

/// What a line, without its end, says; nothing if it is not a whole one.
[[gnu::cold]] inline std::optional<StepReport> parse_log_line(std::string_view line) {
  StepReport r;
  double* const cells[] = {&r.loss, &r.valid, &r.learning_rate, &r.gradient_norm, &r.tokens_per_second, &r.seconds};
  const auto number = [&](auto& x) {
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), x);
    if (error != std::errc{}) return false;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    return true;
  };
  if (!number(r.step) || r.step < 1) return {};
  for (double* cell : cells) {
    if (!line.starts_with(',')) return {};
    line.remove_prefix(1);
    const bool empty = cell == &r.valid && line.starts_with(',');
    if (!empty && !number(*cell)) return {};
    if (cell == &r.valid) r.validated = !empty;
  }
  if (!line.empty()) return {};
  return r;
}

}  // namespace rwkv
