#pragma once
#include <concepts>

#include <rwkv/backend/cpu.hpp>

namespace rwkv {

/// Connects the processes that train one model together, data-parallel: each has a Trainer with the same model and
/// config and a batch source of its own. `sum<B>(p, n)` replaces n numbers in the memory of machine B by their sums
/// over all processes, the same bits in each, and returns when they are there.
template <class C, class B>
concept Communicator = requires(C& c, const C& self, typename B::scalar* numbers, double* host, dim_t n) {
  { self.rank() } -> std::same_as<int>;  // from 0; rank 0 writes logs and files
  { self.size() } -> std::same_as<int>;  // how many processes
  c.template sum<B>(numbers, n);
  c.template sum<Cpu<double>>(host, n);
};

/// One process alone.
struct SingleProcess {
  static constexpr int rank() { return 0; }
  static constexpr int size() { return 1; }
  template <class B>
  static constexpr void sum(typename B::scalar*, dim_t) {}
};

}  // namespace rwkv
