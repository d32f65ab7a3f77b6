#include "ladder.hpp"

std::vector<compare::Contender> compare::ladder_90m() {
  return contenders<768, 12, 16, 12>();
}
