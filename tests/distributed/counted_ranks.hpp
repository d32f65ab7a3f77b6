#pragma once
#include <doctest/doctest.h>

#include <vector>

#include <rwkv/distributed/threads.hpp>

namespace across_test {

using namespace rwkv;

/// Ranks that count what they send.
template <class Ranks>
struct Counted {
  Ranks ranks;
  dim_t sent = 0;  // numbers

  int rank() const { return ranks.rank(); }
  int size() const { return ranks.size(); }
  template <class B>
  void send(const typename B::scalar* numbers, dim_t n, int to) {
    ranks.template send<B>(numbers, n, to);
    sent += n;
  }
  template <class B>
  void receive(typename B::scalar* numbers, dim_t n, int from) {
    ranks.template receive<B>(numbers, n, from);
  }
};

/// f(ranks) in so many threads. Each must send n numbers to the next, and as many to the one before.
template <class F>
void run_counted(int size, dim_t n, const F& f) {
  std::vector<dim_t> sent(static_cast<std::size_t>(size));
  run_in_threads(size, [&](ThreadRank rank) {
    Counted<ThreadRank> counted{rank};
    f(counted);
    sent[static_cast<std::size_t>(rank.rank())] = counted.sent;
  });
  for (int rank = 0; rank < size; ++rank)
    CHECK(sent[static_cast<std::size_t>(rank)] == n * ((rank > 0) + (rank + 1 < size)));
}

}  // namespace across_test
