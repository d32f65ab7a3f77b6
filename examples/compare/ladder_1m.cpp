#include "ladder.hpp"

std::vector<compare::Contender> compare::ladder_1m() {
  return contenders<128, 4, 2, 4>();
}
