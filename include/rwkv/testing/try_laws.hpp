#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/testing/report.hpp>

namespace rwkv::testing {

/// A check by the name of what it tries.
struct Law {
  std::string name;
  std::function<Report()> check;
};

/// The report of the first law that is broken, or that all hold.
inline Report try_laws(std::string check, const std::vector<Law>& laws) {
  Report all{std::move(check)};
  for (const Law& law : laws) {
    Report one = law.check();
    if (!one) return one;
    all.cases += one.cases;
    all.laws += (all.laws.empty() ? "" : ", ") + law.name;
  }
  return all;
}

}  // namespace rwkv::testing
