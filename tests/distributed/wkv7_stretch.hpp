#pragma once
#include <rwkv/distributed/wkv7_across.hpp>
#include "../ops/wkv7_problem.hpp"
#include "stretches.hpp"

// A problem for WKV-7 cut over ranks.
namespace wkv7_test {

using namespace across_test;

/// A rank's part of a problem. What it is not to read is NaN.
template <class T, dim_t H, dim_t N>
Problem<T, H, N> part(const Problem<T, H, N>& p, const Cuts& cuts, int rank) {
  const dim_t from = cuts[std::size_t(rank)], to = cuts[std::size_t(rank) + 1];
  Problem<T, H, N> mine{{p.seq.batch, to - from}};
  for (std::size_t i = 0; i < 6; ++i) mine.in[i] = tokens(p.in[i], p.seq, from, to);
  mine.dy = tokens(p.dy, p.seq, from, to);
  mine.last = p.state, mine.dstate = p.dlast;
  if (rank > 0) spoil(mine.last);
  if (rank < ranks_of(cuts) - 1) spoil(mine.dstate);
  return mine;
}

/// What a rank of a machine in this memory does with it, forward and backward.
template <class B, class T, dim_t H, dim_t N>
void run_rank(auto& ranks, Problem<T, H, N>& p) {
  Scratch<B> scratch;
  const Seq s = p.seq;
  const auto in = signals<B, T, H, N>(p.in, s), d = signals<B, T, H, N>(p.d, s);
  const wkv7::Kept<B, H, N> kept{{p.starts.data(), s}, {p.recalled.data(), s}};
  Numbers<compute_of<T>> m(p.last.size());
  wkv7_across_forward(ranks, scratch, in, {p.y.data(), s}, {p.last.data(), s}, kept, {m.data(), s});
  wkv7_across_backward(ranks, scratch, in, kept, {m.data(), s}, {p.dy.data(), s}, d, {p.dstate.data(), s});
}

}  // namespace wkv7_test
