#include <rwkv/distributed/threads.hpp>
#include <rwkv/distributed/wkv7_across.hpp>
#include "../ops/wkv7_problem.hpp"
#include "stretches.hpp"

// WKV-7 of a text whose stretches lie on several ranks, beside its reference and one process.
namespace {

using namespace wkv7_test;
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

template <class T, dim_t H, dim_t N>
void run_rank(auto& ranks, Problem<T, H, N>& p) {
  using B = Cpu<T>;
  Scratch<B> scratch;
  const Seq s = p.seq;
  const auto in = signals<B, T, H, N>(p.in, s), d = signals<B, T, H, N>(p.d, s);
  const wkv7::Kept<B, H, N> kept{{p.starts.data(), s}, {p.recalled.data(), s}};
  Numbers<compute_of<T>> m(p.last.size());
  wkv7_across_forward(ranks, scratch, in, {p.y.data(), s}, {p.last.data(), s}, kept, {m.data(), s});
  wkv7_across_backward(ranks, scratch, in, kept, {m.data(), s}, {p.dy.data(), s}, d, {p.dstate.data(), s});
}

/// Forward and backward on as many threads as there are stretches.
template <class T, dim_t H, dim_t N>
void run_across(Problem<T, H, N>& p, const Cuts& cuts) {
  std::vector<Problem<T, H, N>> parts;
  for (int rank = 0; rank < ranks_of(cuts); ++rank) parts.push_back(part(p, cuts, rank));
  run_in_threads(ranks_of(cuts), [&](auto ranks) { run_rank(ranks, parts[std::size_t(ranks.rank())]); });
  for (std::size_t r = 0; r < parts.size(); ++r) {
    put_tokens(parts[r].y, p.y, p.seq, cuts[r], cuts[r + 1]);
    for (std::size_t i = 0; i < 6; ++i) put_tokens(parts[r].d[i], p.d[i], p.seq, cuts[r], cuts[r + 1]);
  }
  p.last = parts.back().last, p.dstate = parts.front().dstate;
}

/// Decays near 1, and hardly anything is replaced: what one rank has learnt, the last still knows.
template <class P>
P remembering(P p) {
  for (auto& b : p.in[5]) b *= 1e-4f;
  return p;
}

TEST_CASE("wkv7 across 4 ranks keeps its promise over 65536 tokens" * doctest::test_suite("accuracy")) {
  std::mt19937 random(67);
  constexpr Seq seq{1, 65536};
  const auto check = [&](const char* what, auto p, auto finer, double allowed) {
    const auto want = expected<decltype(finer)>(p);
    auto alone = p;
    run(alone);
    run_across(p, even_cuts(seq.time, 4));
    const double off = check_same(p, want, allowed);
    MESSAGE(std::string(what) << ": off by " << off << ", in one process by " << check_same(alone, want, allowed));
  };
  check("float, drawn", random_problem<float, 1, 8>(seq, random), double{}, 1e-5);
  check("float, remembering", remembering(random_problem<float, 1, 8>(seq, random, 1, -12)), double{}, 2e-5);
  using Finest = long double;
  check("double, drawn", random_problem<double, 1, 8>(seq, random), Finest{}, 1e-12);
  check("double, remembering", remembering(random_problem<double, 1, 8>(seq, random, 1, -12)), Finest{}, 1e-12);
}

TEST_CASE("wkv7 across any ranks is its reference, wherever the text is cut") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20; ++i) {
    const Cuts cuts = random_cuts(random);
    const Seq seq{1 + dim_t(random() % 3), cuts.back()};
    INFO(shown(cuts) << ", " << seq.batch << " sequences");
    auto p = random_problem<double, 2, 12>(seq, random, i % 2 ? 3 : 30, i % 3 ? 0 : -12);
    auto q = p.template as<float>();
    const auto want = expected<double>(p), wanted = expected<double>(q);
    run_across(p, cuts), check_same(p, want, 1e-12);
    run_across(q, cuts), check_same(q, wanted, 1e-5);
  }
}

}  // namespace
