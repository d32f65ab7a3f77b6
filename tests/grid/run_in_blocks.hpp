#pragma once
#include "host_grid.hpp"

#include "../ops/attention_problem.hpp"

namespace attention {

/// Both orders of a block's threads give the same bits: no sync is missing.
template <class T, dim_t H, dim_t D, dim_t W, class Drops = KeepAll>
Problem<T, H, D, W> run_in_blocks(const Problem<T, H, D, W>& operands, Drops drops = {}) {
  auto p = operands, other = operands;
  run<test::HostGrid>(p, drops);
  test::turns = test::Turns::descending;
  run<test::HostGrid>(other, drops);
  test::turns = test::Turns::ascending;
  for (std::size_t i = 0; i < std::size(names); ++i) {
    INFO(std::string(names[i]));
    CHECK(p.results()[i] == other.results()[i]);
  }
  return p;
}

}  // namespace attention
