#include <doctest/doctest.h>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/distributed/token_shift_across.hpp>
#include "counted_ranks.hpp"
#include "stretches.hpp"

// A token shift of a text whose stretches lie on several ranks, beside one process.
namespace {

using namespace across_test;
constexpr dim_t C = 11;

template <class T>
using Numbers = std::vector<T>;

/// A shift with two mixes. `last` is the token before the text, then the last; dlast belongs to the last, then to that.
template <class T>
struct Shift {
  using Number = compute_of<T>;
  Seq seq;
  Numbers<T> x = Numbers<T>(std::size_t(seq.tokens() * C)), out[2] = {x, x}, dout[2] = {x, x}, dx = x;
  Numbers<T> mix[2] = {Numbers<T>(C), Numbers<T>(C)};
  Numbers<Number> dmix[2] = {Numbers<Number>(C), Numbers<Number>(C)};
  Numbers<Number> last = Numbers<Number>(std::size_t(seq.batch * C)), dlast = last;
};

template <class T>
void run(Shift<T>& p, const auto& before_forward, const auto& after_backward) {
  using B = Cpu<T>;
  using Signal = Tensor<B, Batch, Time, C>;
  using Mix = Tensor<B, 1, 1, C>;
  using DMix = Tensor<Accum<B>, 1, 1, C>;
  Scratch<B> scratch;
  const Seq s = p.seq;
  const Tensor<Accum<B>, Batch, C> last{p.last.data(), s}, dlast{p.dlast.data(), s};
  const std::array<Mix, 2> mix{Mix{p.mix[0].data(), s}, Mix{p.mix[1].data(), s}};
  const auto both = [&](Numbers<T>(&x)[2]) {
    return std::array<Signal, 2>{Signal{x[0].data(), s}, Signal{x[1].data(), s}};
  };
  before_forward(scratch, Signal{p.x.data(), s}, last);
  Numbers<compute_of<T>> start = p.last;
  token_shift_forward<B>(scratch, mix, {p.x.data(), s}, last, both(p.out));
  token_shift_backward<B>(scratch, mix, {p.x.data(), s}, {start.data(), s}, both(p.dout), {p.dx.data(), s},
                          std::array<DMix, 2>{DMix{p.dmix[0].data(), s}, DMix{p.dmix[1].data(), s}}, dlast);
  after_backward(scratch, Signal{p.dx.data(), s}, dlast);
}
template <class T>
void run_alone(Shift<T>& p) {
  run(
      p, [](auto&&...) {}, [](auto&&...) {});
}

template <class T>
Shift<T> random_shift(Seq seq, std::mt19937& random) {
  Shift<T> p{seq};
  std::normal_distribution<float> normal;
  for (auto* x : {&p.x, &p.dout[0], &p.dout[1], &p.mix[0], &p.mix[1]})
    for (T& value : *x) value = T(normal(random));
  for (auto* x : {&p.last, &p.dlast})
    for (auto& value : *x) value = normal(random);
  return p;
}

template <class T>
void run_across(Shift<T>& p, const Cuts& cuts) {
  const std::size_t size = cuts.size() - 1;
  std::vector<Shift<T>> parts;
  for (std::size_t r = 0; r < size; ++r) {
    const dim_t from = cuts[r], to = cuts[r + 1];
    Shift<T> mine{{p.seq.batch, to - from}};
    mine.x = tokens(p.x, p.seq, from, to);
    for (int n = 0; n < 2; ++n) mine.dout[n] = tokens(p.dout[n], p.seq, from, to), mine.mix[n] = p.mix[n];
    mine.last = p.last;
    if (r > 0) spoil(mine.last);
    if (r + 1 == size) mine.dlast = p.dlast;
    parts.push_back(mine);
  }
  run_counted(ranks_of(cuts), p.seq.batch * C, [&](auto& ranks) {
    run(
        parts[std::size_t(ranks.rank())],
        [&](auto& scratch, auto x, auto last) { token_shift_across_forward(ranks, scratch, x, last); },
        [&](auto& scratch, auto dx, auto dlast) { token_shift_across_backward(ranks, scratch, dx, dlast); });
  });
  for (std::size_t r = 0; r < size; ++r) {
    put_tokens(parts[r].dx, p.dx, p.seq, cuts[r], cuts[r + 1]);
    for (int n = 0; n < 2; ++n) {
      put_tokens(parts[r].out[n], p.out[n], p.seq, cuts[r], cuts[r + 1]);
      for (std::size_t c = 0; c < C; ++c) p.dmix[n][c] += parts[r].dmix[n][c];
    }
  }
  p.last = parts.back().last, p.dlast = parts.front().dlast;
}

/// The largest difference, as a share of 1 or of the largest number.
template <class T>
double difference(const Numbers<T>& got, const Numbers<T>& want) {
  REQUIRE(got.size() == want.size());
  double worst = 0, largest = 1;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double a = double(compute_of<T>(got[i])), b = double(compute_of<T>(want[i]));
    worst = std::max(worst, std::isfinite(a) ? std::abs(a - b) : INFINITY), largest = std::max(largest, std::abs(b));
  }
  return worst / largest;
}

template <class T>
void check(Shift<T> p, const Cuts& cuts, double allowed, double allowed_sums) {
  INFO(in_words(cuts) << ", " << p.seq.batch << " sequences");
  auto want = p;
  run_alone(want);
  run_across(p, cuts);
  for (int n = 0; n < 2; ++n) {
    CHECK(difference(p.out[n], want.out[n]) == 0);
    CHECK(difference(p.dmix[n], want.dmix[n]) <= allowed_sums);
  }
  CHECK(difference(p.last, want.last) == 0);
  CHECK(difference(p.dlast, want.dlast) == 0);
  CHECK(difference(p.dx, want.dx) <= allowed);
}

TEST_CASE("a token shift across any ranks is that of one process, wherever the text is cut") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 30; ++i) {
    const Cuts cuts = random_cuts(random);
    const Seq seq{1 + dim_t(random() % 3), cuts.back()};
    check(random_shift<float>(seq, random), cuts, 3e-7, 1e-5);
    check(random_shift<double>(seq, random), cuts, 5e-16, 1e-13);
    check(random_shift<bf16>(seq, random), cuts, 1. / 128, 1e-5);
  }
}

TEST_CASE("a token shift across 4 ranks is that of one process over 65536 tokens") {
  std::mt19937 random(71);
  check(random_shift<float>({1, 65536}, random), even_cuts(65536, 4), 3e-7, 3e-5);
  check(random_shift<double>({1, 65536}, random), even_cuts(65536, 4), 5e-16, 1e-13);
}

}  // namespace
