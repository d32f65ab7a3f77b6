#pragma once
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <rwkv/testing/case.hpp>
#include <rwkv/testing/report.hpp>

namespace rwkv::testing {

/// Asks the property about a case: what it finds wrong, if anything.
using Property = std::function<std::optional<Finding>(const Case&)>;

/// Tries property(case), which returns a finding where it fails, on drawn cases; the first that fails is shrunk as long
/// as what is left still fails.
inline Report try_cases(std::string check, const Options& options, const Property& property) {
  options.check();
  Report report{std::move(check)};
  while (report.cases < options.cases && !report.finding) {
    Case c = draw_case(options, report.cases++);
    report.finding = property(c);
    if (!report.finding) continue;
    report.first = c.text();
    for (bool smallest = false; !smallest;) {
      smallest = true;
      for (const Case& next : smaller(c)) {
        auto finding = property(next);
        if (!finding) continue;
        report.finding = std::move(finding), c = next, smallest = false;
        break;
      }
    }
    report.smallest = c.text();
  }
  return report;
}

}  // namespace rwkv::testing
