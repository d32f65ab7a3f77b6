#include <doctest/doctest.h>

#include <vector>

#include "host_grid.hpp"

using namespace rwkv;
using test::HostGrid;
using test::Turns;

namespace {
template <int Threads>
struct SumOfRow {
  static constexpr int threads = Threads;
  dim_t columns;
  const double* x;
  double* sums;
  template <Block Here>
  void operator()(Here& here) const {
    double sum = 0;
    for (dim_t c = here.thread(); c < columns; c += threads) sum += x[here.index() * columns + c];
    sums[here.index() * threads + here.thread()] = reduce_block(here, sum, Plus{});
  }
};

/// Every thread reads what another wrote, behind a sync or not.
template <bool Sync>
struct Reverse {
  static constexpr int threads = 64;
  double* x;
  struct Row {
    double of[threads];
  };
  template <Block Here>
  void operator()(Here& here) const {
    auto& row = here.template shared<Row>();
    row.of[here.thread()] = here.thread();
    if constexpr (Sync) here.sync();
    x[here.thread()] = row.of[threads - 1 - here.thread()];
  }
};
struct Deserts {
  static constexpr int threads = 64;
  template <Block Here>
  void operator()(Here& here) const {
    if (here.thread() != 5) here.sync();
  }
};

template <class Kernel>
std::vector<double> reversed(Turns turns) {
  std::vector<double> x(64);
  test::turns = turns;
  HostGrid<double>::launch(1, Kernel{x.data()});
  test::turns = Turns::ascending;
  return x;
}
}  // namespace

TEST_CASE_TEMPLATE("every thread of a block gets the sum over the block", Kernel, SumOfRow<32>, SumOfRow<64>,
                   SumOfRow<256>, SumOfRow<1024>) {
  static_assert(Grid<HostGrid<double>> && !Grid<Cpu<double>>);
  for (const dim_t rows : {0, 1, 3})
    for (const dim_t columns : {0, 1, 31, 1000}) {
      std::vector<double> x(std::size_t(rows * columns)), sums(std::size_t(rows * Kernel::threads));
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = double(i);
      HostGrid<double>::launch(rows, Kernel{columns, x.data(), sums.data()});
      for (dim_t i = 0; i < rows * Kernel::threads; ++i) {
        const dim_t r = i / Kernel::threads;
        CHECK(sums[std::size_t(i)] == double(columns * r * columns + columns * (columns - 1) / 2));
      }
    }
}
TEST_CASE("a missing sync shows as a difference between the orders of threads") {
  CHECK(reversed<Reverse<true>>(Turns::ascending) == reversed<Reverse<true>>(Turns::descending));
  CHECK(reversed<Reverse<true>>(Turns::ascending)[0] == 63);
  CHECK(reversed<Reverse<false>>(Turns::ascending) != reversed<Reverse<false>>(Turns::descending));
}
TEST_CASE("threads that wait in vain are an Error, and the next launch is sound") {
  CHECK_THROWS_AS(HostGrid<double>::launch(2, Deserts{}), Error);
  CHECK(reversed<Reverse<true>>(Turns::ascending)[63] == 0);
}
