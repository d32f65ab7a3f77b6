#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/distributed/point_to_point.hpp>

// Sequence parallelism, also called context parallelism: of one long text every rank holds a stretch, rank 0 the first
// tokens. A recurrence over time turns the state before a stretch into the one after it by an affine map, so ranks need
// not wait for each other's tokens: each works out its own map while the others do, and then a state goes down the line
// of ranks, which costs each but the map. Gradients of states go up the line in the same way, by the transposed map.
//
// With P ranks and a recurrence that takes R over the whole text, where to find a map takes `m` runs over its stretch:
//
//   in order, each waiting for the state of the one before:  R
//   maps, a state going down the line:                       (m + 1) R / P + (P - 2) (a map applied) + (P - 1) (a
//   message) maps joined in log2 P steps, each rank with all before:  (m + 1) R / P + log2 P (two maps joined + a
//   longer message)
//
// m is 1 for WKV-4, for WKV-7 2 forward and 1 backward, so maps gain from m + 2 ranks on. In WKV-7 to join two maps
// costs two products of matrices where to apply one costs one, and a map is twice as long as a state: joining gains
// from 8 ranks on, when either is small beside R / P for a text worth cutting. So a state goes down the line, and no
// map travels.
namespace rwkv {

/// Which way a state goes from rank to rank.
enum class Direction { forwards, backwards };

namespace detail {

/// What reaches a rank is in `state`, n numbers of machine A, as is what it sends on. The first in line runs, and sends
/// what `state` has become; those between work out their map `meanwhile`, `apply` it to what they receive, which writes
/// `next`, and run when they have sent that. The last receives, and runs.
template <class A, PointToPoint<A> Ranks>
void over_ranks(Ranks& ranks, Direction direction, typename A::scalar* state, typename A::scalar* next, dim_t n,
                const auto& meanwhile, const auto& apply, const auto& run) {
  const int step = direction == Direction::forwards ? 1 : -1;
  const int first = step > 0 ? 0 : ranks.size() - 1, last = ranks.size() - 1 - first;
  const bool receives = ranks.rank() != first, sends = ranks.rank() != last;
  if (receives && sends) meanwhile();
  if (receives) ranks.template receive<A>(state, n, ranks.rank() - step);
  if (receives && sends) {
    apply();
    ranks.template send<A>(next, n, ranks.rank() + step);
  }
  run();
  if (sends && !receives) ranks.template send<A>(state, n, ranks.rank() + step);
}

}  // namespace detail
}  // namespace rwkv
