#pragma once
#include <map>
#include <memory>
#include <string>

#include <rwkv/testing/layer_under_test.hpp>

#include "list.hpp"

namespace every {

/// A layer of the lists on one machine.
struct Run {
  Traits traits;
  std::unique_ptr<const rwkv::testing::LayerUnderTest> layer;

  rwkv::testing::Options options() const {
    return {.bounded = traits.bounded, .dropout = traits.dropout, .vocabulary = vocabulary};
  }
};

/// The layers on a machine by name, as far as units of CMakeLists.txt are linked.
inline std::map<std::string, Run>& runs_on(const std::string& machine) {
  static std::map<std::string, std::map<std::string, Run>> all;
  return all[machine];
}

/// check(run on the one machine, the same layer on the other) for every layer that both have.
template <class Check>
void for_each_on(const std::string& machine, const std::string& other, const Check& check) {
  for (const auto& [name, run] : runs_on(machine))
    if (const auto same = runs_on(other).find(name); same != runs_on(other).end()) check(run, *same->second.layer);
}

}  // namespace every
