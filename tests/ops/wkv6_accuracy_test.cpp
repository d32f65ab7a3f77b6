#include <ostream>
#include <type_traits>

#include "wkv6_problem.hpp"

// WKV-6 over 65536 tokens beside its reference in higher precision, from the same numbers.
namespace {

using namespace wkv6_test;
constexpr Seq seq{1, 65536};

struct Errors {
  double chunked = 0, scan = 0, sequential = 0;
  double promised() const { return std::max(chunked, scan); }
  friend std::ostream& operator<<(std::ostream& out, const Errors& e) {
    return out << e.chunked << " in chunks, " << e.scan << " in blocks, " << e.sequential << " token after token";
  }
};

template <class T, dim_t H, dim_t N>
Errors errors(Problem<T, H, N> p) {
  using Finer = std::conditional_t<std::is_same_v<T, float>, double, long double>;
  const auto want = expected<Finer>(p, false);
  const auto of = [&](wkv6::OverTime how) {
    Scratch<Cpu<T>> scratch;
    p.last = p.state;
    wkv6_forward(scratch, inputs<Cpu<T>>(p), {p.y.data(), seq}, {p.last.data(), seq}, {}, how);
    return std::max(difference<H, N>(p.y, want.y, seq, false), difference<H, N>(p.last, want.last, seq, true));
  };
  return {of(wkv6::OverTime::chunked), of(wkv6::OverTime::scan), of(wkv6::OverTime::sequential)};
}

/// Every token is the first one, whose decay is 1.
template <class P>
P still(P p) {
  constexpr std::size_t row = 20;
  for (auto* x : {&p.in[0], &p.in[2], &p.in[3]})
    for (std::size_t i = row; i < x->size(); ++i) (*x)[i] = (*x)[i - row];
  p.in[1].assign(p.y.size(), 0);
  return p;
}

TEST_CASE("wkv6 keeps its promise over 65536 tokens" * doctest::test_suite("accuracy")) {
  std::mt19937 random(1);
  const Errors drawn = errors(random_problem<float, 1, 20>(seq, random));
  const Errors slow = errors(random_problem<float, 1, 20>(seq, random, -13, -11));
  Errors still_ones;  // the worst of six
  for (int i = 0; i < 6; ++i) {
    const Errors e = errors(still(random_problem<float, 1, 20>(seq, random)));
    still_ones = {std::max(still_ones.chunked, e.chunked), std::max(still_ones.scan, e.scan),
                  std::max(still_ones.sequential, e.sequential)};
  }
  const Errors precise = errors(still(random_problem<double, 1, 20>(seq, random)));
  MESSAGE("drawn: " << drawn);
  MESSAGE("slow decays: " << slow);
  MESSAGE("the same again and again, the worst of six: " << still_ones);
  MESSAGE("that in double: " << precise);
  CHECK(drawn.promised() <= 1e-5);
  CHECK(drawn.sequential <= 1e-5);
  CHECK(slow.promised() <= 1e-5);
  CHECK(still_ones.promised() <= 1e-3);
  CHECK(precise.promised() <= 1e-12);
}

}  // namespace
