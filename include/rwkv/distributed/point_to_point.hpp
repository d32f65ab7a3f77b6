#pragma once
#include <concepts>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// Ranks that hand numbers to one another: `send<B>(numbers, n, to)` in one meets `receive<B>(numbers, n, from)` in the
/// other, with as many numbers in the memory of machine B. A send may wait until its numbers are received: two ranks
/// that both send first may wait forever. What one rank sends to another arrives in the order in which it was sent.
template <class C, class B>
concept PointToPoint = requires(C& c, const C& self, typename B::scalar* numbers, const typename B::scalar* from,
                                dim_t n, int rank) {
  { self.rank() } -> std::same_as<int>;
  { self.size() } -> std::same_as<int>;
  c.template send<B>(from, n, rank);
  c.template receive<B>(numbers, n, rank);
};

}  // namespace rwkv
