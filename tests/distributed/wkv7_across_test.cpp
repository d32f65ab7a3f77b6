#include "counted_ranks.hpp"
#include "keep_promise.hpp"
#include "wkv7_stretch.hpp"

// WKV-7 of a text whose stretches lie on several ranks, beside its reference and one process.
namespace {

using namespace wkv7_test;

/// Forward and backward on as many threads as there are stretches.
template <class T, dim_t H, dim_t N>
void run_across(Problem<T, H, N>& p, const Cuts& cuts) {
  std::vector<Problem<T, H, N>> parts;
  for (int rank = 0; rank < ranks_of(cuts); ++rank) parts.push_back(part(p, cuts, rank));
  run_counted(ranks_of(cuts), p.seq.batch * H * N * N,
              [&](auto& ranks) { run_rank<Cpu<T>>(ranks, parts[std::size_t(ranks.rank())]); });
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
  const auto check = [&](const std::string& what, const auto& p, auto finer, double allowed) {
    keep_promise<decltype(finer)>(
        what, p, [](auto& q, const Cuts& cuts) { run_across(q, cuts); }, allowed);
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
    INFO(in_words(cuts) << ", " << seq.batch << " sequences");
    auto p = random_problem<double, 2, 12>(seq, random, i % 2 ? 3 : 30, i % 3 ? 0 : -12);
    auto q = p.template as<float>();
    const auto want = expected<double>(p), wanted = expected<double>(q);
    run_across(p, cuts), check_same(p, want, 1e-12);
    run_across(q, cuts), check_same(q, wanted, 1e-5);
  }
}

}  // namespace
