#pragma once
#include <rwkv/distributed/wkv4_across.hpp>
#include "../ops/wkv4_problem.hpp"
#include "stretches.hpp"

// A problem for WKV-4 cut over ranks.
namespace wkv4_test {

using namespace across_test;

/// A rank's part of a problem. What it is not to read is NaN.
template <class T, dim_t C>
Problem<T, C> part(const Problem<T, C>& p, const Cuts& cuts, int rank) {
  const dim_t from = cuts[std::size_t(rank)], to = cuts[std::size_t(rank) + 1];
  Problem<T, C> mine{{p.seq.batch, to - from}};
  mine.time_decay = p.time_decay, mine.time_first = p.time_first;
  mine.k = tokens(p.k, p.seq, from, to), mine.v = tokens(p.v, p.seq, from, to), mine.dy = tokens(p.dy, p.seq, from, to);
  mine.last = p.state, mine.dstate = p.dlast;
  if (rank > 0) spoil(mine.last);
  if (rank < ranks_of(cuts) - 1) spoil(mine.dstate);
  return mine;
}

/// What a rank of a machine in this memory does with it, forward and backward.
template <class B, class T, dim_t C>
void run_rank(auto& ranks, Problem<T, C>& p, OverTime how = OverTime::automatic) {
  Scratch<B> scratch;
  const Seq s = p.seq;
  const auto of = [&](Numbers<T>& x) { return Tensor<B, Batch, Time, C>{x.data(), s}; };
  const Tensor<B, C> w{p.time_decay.data(), s}, u{p.time_first.data(), s};
  const Tensor<B, Batch, Spans, 3, C> starts{p.starts.data(), s};
  wkv4_across_forward<B, C>(ranks, scratch, w, u, of(p.k), of(p.v), of(p.y), {p.last.data(), s}, starts, how);
  wkv4_across_backward<B, C>(ranks, scratch, w, u, of(p.k), of(p.v), {p.last.data(), s}, starts, of(p.dy), of(p.dk),
                             of(p.dv), {p.dtime_decay.data(), s}, {p.dtime_first.data(), s}, {p.dstate.data(), s}, how);
}

}  // namespace wkv4_test
