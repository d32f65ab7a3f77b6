#include <doctest/doctest.h>

#include <rwkv/layers/v4/time_mix.hpp>
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

}  // namespace

TEST_CASE("WKV-4 in blocks is its reference, decays near 0 and 1 and keys of +-80 included") {
  std::mt19937 random(3);
  const auto check = [&](auto tag, double usual, double large) {
    using T = decltype(tag);
    const auto error = [](auto p) { return wkv4_test::worst_error<HostGrid<T>>(p, OverTime::automatic); };
    for (const dim_t time : {1, 40, 600, 3000})
      for (const double slowest : {0., 1e-7}) {
        CHECK(error(wkv4_test::random_problem<T, 33>({2, time}, random, 4, slowest)) < usual);
        CHECK(error(wkv4_test::random_problem<T, 33>({2, time}, random, 80, slowest)) < large);
      }
  };
  check(float{}, 1e-5, 1e-4), check(double{}, 1e-12, 1e-12);
}
TEST_CASE("WKV-4 in blocks is its reference where the token at hand weighs e^60 or e^-60") {
  std::mt19937 random(4);
  auto p = wkv4_test::random_problem<float, 33>({2, 200}, random, 30, 1e-7);
  for (const float shift : {60.f, -120.f}) {
    for (float& u : p.time_first) u += shift;
    CHECK(wkv4_test::worst_error<HostGrid<float>>(p, OverTime::automatic) < 1e-4);
  }
}
TEST_CASE("WKV-4 in blocks of a key that is no number is no number there and after it") {
  std::mt19937 random(5);
  auto p = wkv4_test::random_problem<float, 33>({1, 200}, random, 4, 1e-7);
  p.k[70 * 33 + 5] = NAN;
  wkv4_test::run_on<HostGrid<float>>(p, OverTime::automatic, OverTime::automatic);
  for (std::size_t i = 0; i < p.y.size(); ++i) CHECK(std::isnan(p.y[i]) == (i % 33 == 5 && i / 33 >= 70));
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
