#include "ladder.hpp"

std::vector<compare::Contender> compare::ladder_14m() {
  return contenders<384, 7, 8, 6>();
}
