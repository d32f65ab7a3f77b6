#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/distributed/point_to_point.hpp>

// Sequence parallelism, also called context parallelism: every rank holds a stretch of one long text, rank 0 the first
// tokens. A recurrence over time turns the state before a stretch into the one after it by an affine map, so ranks need
// not wait for each other's tokens: each finds its own map while the others find theirs, and then a state goes down the
// line of ranks, where it costs each of them but a map applied. Gradients of states go up the line, by the transposed
// maps.
//
// With P ranks and T tokens, where to find a map takes `m` runs over its stretch, in times that a token takes:
//
//   in order, each waiting for the state of the one before:  T + (P - 1) messages
//   maps, a state going down the line:  (m + 1) T / P + (P - 1) messages + (P - 2) maps applied
//   maps, joined in pairs by a scan:    (m + 1) T / P + log2 P (a longer message + two maps joined)
//
// m is 1, but 2 for WKV-7 forward; so maps gain from m + 2 ranks on, and the ends of the line, which run once, may have
// longer stretches. To apply a map of WKV-7 costs Size^3, what 12 tokens of Size = 64 do, and to join two of them 24,
// with messages twice as long. With texts worth cutting T / P is thousands: what a scan would save is not to be seen.
// So a state goes down the line, and no map travels.
namespace rwkv::detail {

/// Which way a state goes from rank to rank.
enum class Direction { forwards, backwards };

/// What a rank receives comes into `state`, n numbers of machine A. The first in line runs, and sends what `state` has
/// become. Those between find their map `meanwhile`, `apply` it to what they receive, which writes `next`, send that,
/// and run. The last receives, and runs.
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

}  // namespace rwkv::detail
