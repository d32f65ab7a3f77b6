#include <rwkv/ops/wkv7/stretch.hpp>
#include "wkv7_problem.hpp"

// Stretches of time as operators on the state of WKV-7.
namespace {

using namespace wkv7_test;
using B = Cpu<double>;
constexpr dim_t H = 2, N = 20;
constexpr Seq once{1, 1};

struct Stretch {
  Numbers<double> m = Numbers<double>(H * N * N), q = m;
  wkv7::Stretch<B, H, N> view() { return {{m.data(), once}, {q.data(), once}}; }
};

/// Of tokens `from` to `to`.
Stretch stretch(Problem<double, H, N>& p, dim_t from, dim_t to) {
  Scratch<B> scratch;
  auto in = signals<B, double, H, N>(p.in, p.seq);
  for (auto* x : {&in.r, &in.w, &in.k, &in.v, &in.a, &in.b}) *x = {x->data + from * H * N, {1, to - from}};
  Stretch made;
  stretch_of(scratch, in, made.view());
  return made;
}
Stretch joined(Stretch earlier, Stretch later) {
  Stretch both;
  join(earlier.view(), later.view(), both.view());
  return both;
}
double apart(const Stretch& got, const Stretch& want) {
  return std::max(difference<H, N>(got.m, want.m, once, true), difference<H, N>(got.q, want.q, once, true));
}

TEST_CASE("a stretch of tokens makes of any state what wkv7 makes of it") {
  std::mt19937 random(41);
  auto p = random_problem<double, H, N>({1, 50}, random);
  run(p);
  for (const dim_t cut : {0, 1, 20, 50}) {
    Stretch all = joined(stretch(p, 0, cut), stretch(p, cut, 50));
    Numbers<double> last(p.state.size());
    apply(all.view(), {p.state.data(), once}, {last.data(), once});
    CHECK(difference<H, N>(last, p.last, once, true) < 1e-12);
  }
}

TEST_CASE("joining stretches is associative, and they do not commute") {
  std::mt19937 random(43);
  auto p = random_problem<double, H, N>({1, 60}, random);
  const Stretch a = stretch(p, 0, 7), b = stretch(p, 7, 40), c = stretch(p, 40, 60);
  CHECK(apart(joined(joined(a, b), c), joined(a, joined(b, c))) < 1e-12);
  CHECK(apart(joined(joined(a, b), c), stretch(p, 0, 60)) < 1e-12);
  CHECK(apart(joined(a, c), joined(c, a)) > 1e-3);
}

}  // namespace
