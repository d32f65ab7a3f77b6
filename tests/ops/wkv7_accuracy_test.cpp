#include "wkv7_problem.hpp"

// WKV-7 over 65536 tokens beside its reference in long double, from the same numbers.
namespace {

using namespace wkv7_test;
constexpr Seq seq{1, 65536};

template <class T, dim_t H, dim_t N>
double output_error(Problem<T, H, N> p, OverTime how) {
  const auto want = expected<long double>(p, false);
  p.last = p.state;
  Scratch<Cpu<T>> scratch;
  const auto in = signals<Cpu<T>, T, H, N>(p.in, p.seq);
  wkv7_forward(scratch, in, {p.y.data(), p.seq}, {p.last.data(), p.seq}, {}, how);
  return std::max(difference<H, N>(p.y, want.y, p.seq, false), difference<H, N>(p.last, want.last, p.seq, true));
}

/// Every token is the first one, whose decay is 1.
template <class P>
P still(P p) {
  constexpr std::size_t row = 2 * 20;
  for (auto* x : {&p.in[0], &p.in[2], &p.in[3], &p.in[4], &p.in[5]})
    for (std::size_t i = row; i < x->size(); ++i) (*x)[i] = (*x)[i - row];
  p.in[1].assign(p.y.size(), 0);
  return p;
}

TEST_CASE("wkv7 keeps its promise over 65536 tokens") {
  std::mt19937 random(23);
  for (const OverTime how : {OverTime::chunked, OverTime::sequential}) {
    const bool chunked = how == OverTime::chunked;
    const double drawn = output_error(random_problem<float, 2, 20>(seq, random), how);
    const double slow = output_error(random_problem<float, 2, 20>(seq, random, 1, -12), how);
    const double constant = output_error(still(random_problem<float, 2, 20>(seq, random)), how);
    const double precise = output_error(still(random_problem<double, 2, 20>(seq, random)), how);
    MESSAGE(std::string(chunked ? "chunked" : "sequential") << ": drawn " << drawn << ", with slow decays " << slow
                                                            << ", constant " << constant << ", in double " << precise);
    CHECK(drawn <= 1e-5);
    CHECK(slow <= 1e-5);
    if (!chunked) continue;  // 65536 sums in a row that are rounded the same way
    CHECK(constant <= 1e-3);
    CHECK(precise <= 1e-12);
  }
}

}  // namespace
