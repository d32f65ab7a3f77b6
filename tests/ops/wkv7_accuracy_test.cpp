#include <ostream>
#include <type_traits>

#include "wkv7_problem.hpp"

// WKV-7 over 65536 tokens beside its reference in higher precision, from the same numbers.
namespace {

using namespace wkv7_test;
constexpr Seq seq{1, 65536};

struct Errors {
  double chunked, sequential;
  friend std::ostream& operator<<(std::ostream& out, const Errors& e) {
    return out << e.chunked << " in chunks, " << e.sequential << " token after token";
  }
};

template <class T, dim_t H, dim_t N>
Errors errors(Problem<T, H, N> p) {
  using Finer = std::conditional_t<std::is_same_v<T, float>, double, long double>;
  const auto want = expected<Finer>(p, false);
  const auto of = [&](wkv7::OverTime how) {
    Scratch<Cpu<T>> scratch;
    p.last = p.state;
    wkv7_forward(scratch, signals<Cpu<T>, T, H, N>(p.in, seq), {p.y.data(), seq}, {p.last.data(), seq}, {}, how);
    return std::max(difference<H, N>(p.y, want.y, seq, false), difference<H, N>(p.last, want.last, seq, true));
  };
  return {of(wkv7::OverTime::chunked), of(wkv7::OverTime::sequential)};
}

/// Every token is the first one, whose decay is 1.
template <class P>
P still(P p) {
  constexpr std::size_t row = 20;
  for (auto* x : {&p.in[0], &p.in[2], &p.in[3], &p.in[4], &p.in[5]})
    for (std::size_t i = row; i < x->size(); ++i) (*x)[i] = (*x)[i - row];
  p.in[1].assign(p.y.size(), 0);
  return p;
}

TEST_CASE("wkv7 keeps its promise over 65536 tokens" * doctest::test_suite("accuracy")) {
  std::mt19937 random(23);
  const Errors drawn = errors(random_problem<float, 1, 20>(seq, random));
  const Errors slow = errors(random_problem<float, 1, 20>(seq, random, 1, -12));
  const Errors still_ones = errors(still(random_problem<float, 1, 20>(seq, random)));
  const Errors precise = errors(still(random_problem<double, 1, 20>(seq, random)));
  MESSAGE("drawn: " << drawn);
  MESSAGE("slow decays: " << slow);
  MESSAGE("the same again and again: " << still_ones);
  MESSAGE("that in double: " << precise);
  CHECK(drawn.chunked <= 1e-5);
  CHECK(drawn.sequential <= 1e-5);
  CHECK(slow.chunked <= 1e-5);
  CHECK(still_ones.chunked <= 1e-3);
  CHECK(precise.chunked <= 1e-12);
}

}  // namespace
