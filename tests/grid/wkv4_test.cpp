#include <doctest/doctest.h>

#include <rwkv/layers/v4/time_mix.hpp>
#include <rwkv/ops/gpu/wkv4.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/laws.hpp>
#include <rwkv/testing/machines.hpp>
#include "host_grid.hpp"

#include "../ops/wkv4_problem.hpp"

// WKV-4 in blocks of threads against the portable one, over lengths below and above a stretch, a span and a tile of
// time.
using namespace rwkv;
using test::HostGrid;
using test::Turns;

namespace {
/// One case of a layer, on both machines.
template <class L, class B>
void check_case(Seq seq, bool wild) {
  const testing::Options options{.bounded = true};
  const testing::LayerRun<L, Cpu<typename B::scalar>> home;
  const testing::LayerRun<L, B> there;
  const auto finding = testing::machines_differ(home, there, {5, seq, {seq.time}, wild}, options);
  if (finding)
    FAIL_CHECK(seq.batch << " x " << seq.time << " tokens, wild " << wild << ": " << finding->law << " at "
                         << finding->place << ": expected " << finding->expected << ", found " << finding->found
                         << ", allowed " << finding->allowed);
}

/// The largest error of all that WKV-4 gives, beside the recurrence in long double.
template <class T, dim_t C>
double worst_error(wkv4::Problem<T, C> p) {
  using B = HostGrid<T>;
  const Seq s = p.seq;
  Scratch<B> scratch;
  const auto of = [&](auto& x) { return Tensor<B, Batch, Time, C>{x.data(), s}; };
  const Tensor<B, C> w{p.time_decay.data(), s}, u{p.time_first.data(), s};
  const Tensor<B, Batch, Spans, 3, C> starts{p.starts.data(), s};
  p.last = p.state, p.dstate = p.dlast;
  wkv4_forward<B, C>(scratch, w, u, of(p.k), of(p.v), of(p.y), {p.last.data(), s}, starts);
  wkv4_backward<B, C>(scratch, w, u, of(p.k), of(p.v), starts, of(p.dy), of(p.dk), of(p.dv), {p.dtime_decay.data(), s},
                      {p.dtime_first.data(), s}, {p.dstate.data(), s});
  auto want = p.template as<long double>(), size = want;
  wkv4::recur(want, size);
  double worst = 0;
  for (std::size_t i = 0; i < std::size(wkv4::names); ++i)
    worst = std::max(worst, wkv4::relative_error(*p.results()[i], *want.results()[i], *size.results()[i]));
  return worst;
}
}  // namespace

TEST_CASE("WKV-4 in blocks follows the recurrence, decays near 0 and 1 and keys of +-100 included") {
  std::mt19937 random(3);
  for (const dim_t time : {1, 40, 600})
    for (const bool extreme : {false, true}) {
      CHECK(worst_error(wkv4::random_problem<float, 33>({2, time}, random, 4, extreme)) < 2e-6);
      CHECK(worst_error(wkv4::random_problem<float, 33>({2, time}, random, 100, extreme)) < 2e-5);  // an ulp of 100
      CHECK(worst_error(wkv4::random_problem<double, 33>({2, time}, random, 4, extreme)) < 4e-15);
      CHECK(worst_error(wkv4::random_problem<double, 33>({2, time}, random, 100, extreme)) < 4e-14);
    }
}
TEST_CASE_TEMPLATE("WKV-4 agrees with the portable one, wild keys and decays included", T, float, double) {
  for (const Turns turns : {Turns::ascending, Turns::descending}) {
    test::turns = turns;
    for (const bool wild : {false, true}) {
      for (const dim_t time : {0, 1, 7, 8, 9, 16, 31, 32, 33, 127, 128, 129, 160})
        check_case<v4::TimeMix<3, 2>, HostGrid<T>>({2, time}, wild);
    }
    check_case<v4::TimeMix<3, 33>, HostGrid<T>>({1, 600}, false);
  }
  test::turns = Turns::ascending;
}
TEST_CASE("WKV-4 in pieces is WKV-4 in one, also where kernels run in blocks") {
  testing::expect(testing::check_equivalence<v4::TimeMix<4>, HostGrid<double>>({.cases = 4, .bounded = true}));
}
