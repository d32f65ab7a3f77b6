#pragma once
#include <rwkv/testing/grid.hpp>

#include "../ops/attention_problem.hpp"

namespace attention {

/// Both orders of a block's threads give the same bits: no sync is missing.
template <class T, dim_t H, dim_t D, dim_t W, class Drops = KeepAll>
Problem<T, H, D, W> run_in_blocks(const Problem<T, H, D, W>& operands, Drops drops = {}) {
  auto p = operands, other = operands;
  run<testing::HostGrid>(p, drops);
  testing::turns = testing::Turns::descending;
  run<testing::HostGrid>(other, drops);
  testing::turns = testing::Turns::ascending;
  for (std::size_t i = 0; i < std::size(names); ++i) {
    INFO(std::string(names[i]));
    CHECK(p.results()[i] == other.results()[i]);
  }
  return p;
}

}  // namespace attention
