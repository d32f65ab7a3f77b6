#pragma once
#include <rwkv/ops/heads.hpp>
#include "host_grid.hpp"
#include "in_both_orders.hpp"

#include "../ops/head_numbers.hpp"

// What the tests of recurrences with a matrix for each head have in common, in blocks of threads.
namespace head_test {

/// Blocks of threads go over time in but one way.
inline constexpr auto how = heads::OverTime::automatic;

/// What `run` makes of a problem. Both orders of a block's threads give the same.
template <class P, class Run>
P in_blocks(const P& p, const Run& run) {
  std::vector<P> got;
  test::in_both_orders([&] {
    got.push_back(p);
    run(got.back());
  });
  check_same(got[1], got[0], 0);
  return got[0];
}
template <template <class, dim_t, dim_t> class Problem, class T, dim_t H, dim_t N>
Problem<T, H, N> in_blocks(const Problem<T, H, N>& p) {
  return in_blocks(p, [](auto& q) { run_on<test::HostGrid<T>>(q, how, how); });
}

/// Whether a problem in blocks is its reference. Its numbers may be off by so many roundings.
struct CheckInBlocks {
  int roundings;

  template <class T>
  constexpr double allowed() const {
    return roundings * double(std::numeric_limits<T>::epsilon()) / 2;
  }
  template <template <class, dim_t, dim_t> class Problem, class T, dim_t H, dim_t N>
  void operator()(const Problem<T, H, N>& p) const {
    INFO(H << " heads of " << N << ", " << p.seq.batch << " sequences of " << p.seq.time);
    check_same(in_blocks(p), expected<double>(p), allowed<T>());
  }
};

}  // namespace head_test
