#include <rwkv/distributed/threads.hpp>
#include <rwkv/distributed/wkv4_across.hpp>
#include "../ops/wkv4_problem.hpp"
#include "stretches.hpp"

// WKV-4 of a text whose stretches lie on several ranks, beside its reference and one process.
namespace {

using namespace wkv4_test;
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

template <class T, dim_t C>
void run_rank(auto& ranks, Problem<T, C>& p, OverTime how) {
  using B = Cpu<T>;
  Scratch<B> scratch;
  const Seq s = p.seq;
  const auto of = [&](Numbers<T>& x) { return Tensor<B, Batch, Time, C>{x.data(), s}; };
  const Tensor<B, C> w{p.time_decay.data(), s}, u{p.time_first.data(), s};
  const Tensor<B, Batch, Spans, 3, C> starts{p.starts.data(), s};
  wkv4_across_forward<B, C>(ranks, scratch, w, u, of(p.k), of(p.v), of(p.y), {p.last.data(), s}, starts, how);
  wkv4_across_backward<B, C>(ranks, scratch, w, u, of(p.k), of(p.v), {p.last.data(), s}, starts, of(p.dy), of(p.dk),
                             of(p.dv), {p.dtime_decay.data(), s}, {p.dtime_first.data(), s}, {p.dstate.data(), s}, how);
}

/// Forward and backward on as many threads as there are stretches.
template <class T, dim_t C>
void run_across(Problem<T, C>& p, const Cuts& cuts, OverTime how = OverTime::automatic) {
  std::vector<Problem<T, C>> parts;
  for (int rank = 0; rank < ranks_of(cuts); ++rank) parts.push_back(part(p, cuts, rank));
  run_in_threads(ranks_of(cuts), [&](auto ranks) { run_rank(ranks, parts[std::size_t(ranks.rank())], how); });
  for (std::size_t r = 0; r < parts.size(); ++r) {
    for (auto x : {&Problem<T, C>::y, &Problem<T, C>::dk, &Problem<T, C>::dv})
      put_tokens(parts[r].*x, p.*x, p.seq, cuts[r], cuts[r + 1]);
    for (auto x : {&Problem<T, C>::dtime_decay, &Problem<T, C>::dtime_first})
      for (std::size_t c = 0; c < C; ++c) (p.*x)[c] += (parts[r].*x)[c];
  }
  p.last = parts.back().last, p.dstate = parts.front().dstate;
}

/// The largest error of anything that comes out, as wkv4_problem.hpp has it.
template <class T, dim_t C>
double error_across(Problem<T, C> p, const Cuts& cuts, OverTime how = OverTime::automatic) {
  run_across(p, cuts, how);
  auto want = expected(p);
  double worst = 0;
  for (std::size_t i = 0; i < std::size(names); ++i) {
    worst = std::max(worst, relative_error(*p.results()[i], *want.results()[i]));
  }
  return worst;
}

TEST_CASE("wkv4 across 4 ranks keeps its promise over 65536 tokens" * doctest::test_suite("accuracy")) {
  std::mt19937 random(61);
  const auto check = [&](auto tag, const char* what, double key, double slowest, double allowed) {
    using T = decltype(tag);
    auto p = random_problem<T, 5>({1, 65536}, random, key, slowest);
    const double across = error_across(p, even_cuts(65536, 4)), alone = worst_error<Cpu<T>>(p, OverTime::automatic);
    MESSAGE(std::string(what) << ": off by " << across << ", in one process by " << alone);
    CHECK(across <= allowed);
  };
  check(float{}, "float, decays to 1 - 1e-3", 4, 1e-3, 1e-5);
  check(float{}, "float, decays to 1 - 1e-7", 4, 1e-7, 1e-3);
  check(double{}, "double, decays to 1 - 1e-7", 4, 1e-7, 1e-12);
  check(double{}, "double, keys to 80, decays to 1 - 1e-7", 80, 1e-7, 1e-12);
}

TEST_CASE("wkv4 across any ranks is its reference, wherever the text is cut") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 30; ++i) {
    const Cuts cuts = random_cuts(random);
    const Seq seq{1 + dim_t(random() % 3), cuts.back()};
    const double key = i % 3 == 0 ? 80 : 4, slowest = i % 2 ? 1e-5 : 0;
    INFO(shown(cuts) << ", " << seq.batch << " sequences, keys to " << key);
    CHECK(error_across(random_problem<double, 11>(seq, random, key, slowest), cuts) <= 1e-12);
    CHECK(error_across(random_problem<float, 19>(seq, random, key, slowest), cuts) <= (key > 4 ? 2e-5 : 5e-6));
  }
}

}  // namespace
