#include "counted_ranks.hpp"
#include "wkv4_stretch.hpp"

// WKV-4 of a text whose stretches lie on several ranks, beside its reference and one process.
namespace {

using namespace wkv4_test;

/// Forward and backward on as many threads as there are stretches.
template <class B, class T, dim_t C>
void run_across(Problem<T, C>& p, const Cuts& cuts, OverTime how) {
  std::vector<Problem<T, C>> parts;
  for (int rank = 0; rank < ranks_of(cuts); ++rank) parts.push_back(part(p, cuts, rank));
  run_counted(ranks_of(cuts), p.seq.batch * 3 * C,
              [&](auto& ranks) { run_rank<B>(ranks, parts[std::size_t(ranks.rank())], how); });
  for (std::size_t r = 0; r < parts.size(); ++r) {
    for (auto x : {&Problem<T, C>::y, &Problem<T, C>::dk, &Problem<T, C>::dv})
      put_tokens(parts[r].*x, p.*x, p.seq, cuts[r], cuts[r + 1]);
    for (auto x : {&Problem<T, C>::dtime_decay, &Problem<T, C>::dtime_first})
      for (std::size_t c = 0; c < C; ++c) (p.*x)[c] += (parts[r].*x)[c];
  }
  p.last = parts.back().last, p.dstate = parts.front().dstate;
}

/// The largest error of anything that comes out, as wkv4_problem.hpp has it.
template <class B, class T, dim_t C>
double error_across(Problem<T, C> p, const Cuts& cuts, OverTime how = OverTime::automatic) {
  run_across<B>(p, cuts, how);
  auto want = expected(p);
  double worst = 0;
  for (std::size_t i = 0; i < std::size(names); ++i) {
    worst = std::max(worst, relative_error(*p.results()[i], *want.results()[i]));
  }
  return worst;
}

TEST_CASE("wkv4 across 4 ranks keeps its promise over 65536 tokens" * doctest::test_suite("accuracy")) {
  std::mt19937 random(61);
  const auto check = [&](auto tag, const std::string& what, double key, double slowest, double allowed) {
    using T = decltype(tag);
    auto p = random_problem<T, 5>({1, 65536}, random, key, slowest);
    const double across = error_across<Cpu<T>>(p, even_cuts(65536, 4));
    MESSAGE(what << ": off by " << across << ", in one process by " << worst_error<Cpu<T>>(p, OverTime::automatic));
    CHECK(across <= allowed);
  };
  check(float{}, "float, decays to 1 - 1e-3", 4, 1e-3, 1e-5);
  check(float{}, "float, decays to 1 - 1e-7", 4, 1e-7, 1e-5);
  check(double{}, "double, decays to 1 - 1e-7", 4, 1e-7, 1e-13);
  check(double{}, "double, keys to 80, decays to 1 - 1e-7", 80, 1e-7, 1e-12);
}

TEST_CASE("wkv4 across any ranks is its reference, wherever the text is cut") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  constexpr OverTime both[] = {OverTime::sequential, OverTime::scan};
  for (int i = 0; i < 30; ++i) {
    const Cuts cuts = random_cuts(random);
    const Seq seq{1 + dim_t(random() % 3), cuts.back()};
    const double key = i % 3 == 0 ? 80 : 4, slowest = i % 2 ? 1e-5 : 0;
    INFO(in_words(cuts) << ", " << seq.batch << " sequences, keys to " << key);
    const auto how = both[i % 2];
    CHECK(error_across<Cpu<double>>(random_problem<double, 11>(seq, random, key, slowest), cuts, how) <= 1e-12);
    CHECK(error_across<Cpu<float>>(random_problem<float, 19>(seq, random, key, slowest), cuts, how) <=
          (key > 4 ? 2e-5 : 5e-6));
  }
}

TEST_CASE("wkv4 across ranks of anything is finite, and its outputs are averages") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto check = [&](auto tag, double size) {
    using T = decltype(tag);
    const Cuts cuts = random_cuts(random);
    auto p = random_problem<T, 9>({2, cuts.back()}, random, size, 1e-7);
    for (T& k : p.k)
      if (random() % 2) k = k < 0 ? T(-size) : T(size);
    INFO(in_words(cuts) << ", keys to " << size);
    run_across<Cpu<T>>(p, cuts, OverTime::automatic);
    for (auto* x : p.results()) CHECK(std::all_of(x->begin(), x->end(), [](T a) { return std::isfinite(a); }));
    const auto [least, most] = std::minmax_element(p.v.begin(), p.v.end());
    for (dim_t i = p.seq.time * 9; i < std::ssize(p.y); ++i)  // the second sequence has no past
      CHECK((p.y[std::size_t(i)] <= *most + T(1e-5) && p.y[std::size_t(i)] >= *least - T(1e-5)));
  };
  for (const double size : {500., 1e4, 1e6, 1e30})
    for (int i = 0; i < 4; ++i) check(float{}, size), check(double{}, size);
}

}  // namespace
