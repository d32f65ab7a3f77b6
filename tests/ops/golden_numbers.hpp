#pragma once
#include <fstream>
#include <map>
#include <string>

#include <doctest/doctest.h>

namespace test {

/// The numbers of golden/NAME.txt by their names: a name, how many, and they.
template <class Numbers>
std::map<std::string, Numbers> golden_numbers(const std::string& name) {
  std::ifstream file(RWKV_TESTS_DIR "/golden/" + name + ".txt");
  REQUIRE(file);
  std::map<std::string, Numbers> golden;
  std::string of;
  for (std::size_t n; file >> of >> n;) {
    golden[of].resize(n);
    for (auto& x : golden[of]) file >> x;
  }
  return golden;
}

}  // namespace test
