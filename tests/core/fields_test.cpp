#include <doctest/doctest.h>

#include <rwkv/core/owned.hpp>
#include <rwkv/core/scratch.hpp>

using namespace rwkv;

namespace {
struct B {  // the least a bundle needs of a machine
  using scalar = double;
  static double* allocate(dim_t n) { return new double[std::size_t(n)]; }
  static void deallocate(double* p) { delete[] p; }
  static void fill(double* p, dim_t n, double x) { std::fill(p, p + n, x); }
  static void copy(double* to, const double* from, dim_t n) { std::copy(from, from + n, to); }
  static void upload(double* to, const double* from, dim_t n) { copy(to, from, n); }
  static void download(double* to, const double* from, dim_t n) { copy(to, from, n); }
};
struct Inner {
  Tensor<B, 3> a;
  Tensor<B, Batch, 2> b;
  static constexpr void fields(auto&& f, auto&&... p) {
    f(Field{"a", init::ones, true}, p.a...);
    f(Field{"b", init::constant(2)}, p.b...);
  }
};
struct Outer {
  Inner first, second;
  Tensor<B, 5, 2> w;
  static constexpr void fields(auto&& f, auto&&... p) {
    f(Field{"first"}, p.first...);
    f(Field{.index = 7}, p.second...);
    f(Field{"w"}, p.w...);
  }
};
struct Forgetful {
  Tensor<B, 3> a, b;
  static constexpr void fields(auto&& f, auto&&... p) { f(Field{"a"}, p.a...); }
};
}  // namespace

static_assert(elements<Inner>({.batch = 4, .time = 1}) == 11);
static_assert(elements<Outer>() == 2 * 5 + 10);
static_assert(lists_every_member<Inner>() && lists_every_member<Outer>() && !lists_every_member<Forgetful>());

TEST_CASE("leaves have dotted names, places in one allocation, and zeros between them") {
  Owned<B, Outer> owned({.batch = 3, .time = 1});
  std::string names;
  for_each_leaf(
      [&](const Path& path, auto&, auto& leaf) {
        names += path.name() + " ";
        CHECK((leaf.data - owned.data()) % 16 == 0);
        CHECK(leaf.data + leaf.size() <= owned.data() + owned.size());
      },
      owned.view());
  CHECK(names == "first.a first.b 7.a 7.b w ");
  owned.reset();
  CHECK(owned.first.a[2] == 1);
  CHECK(owned.second.b[5] == 2);
  CHECK(owned.second.b.size() == 6);
}

TEST_CASE("an owned bundle is a value") {
  Owned<B, Inner> a({.batch = 2, .time = 1});
  a.reset();
  auto b = a;
  CHECK(a == b);
  b.b[3] = 9;
  CHECK(a != b);
  CHECK(a.b[3] == 2);
  a = b;
  CHECK(a == b);
  const auto* kept = b.data();
  const auto c = std::move(b);
  CHECK(c.data() == kept);
  CHECK(c == a);
}

TEST_CASE("several bundles are walked in step") {
  Owned<B, Outer> a, b;
  a.reset();
  int leaves = 0;
  for_each_leaf(
      [&](auto&, const Field& field, auto& x, auto& y) {
        ++leaves;
        y[0] = field.decays ? 1 : 0;
        CHECK(x.size() == y.size());
      },
      a.view(), b.view());
  CHECK(leaves == 5);
  CHECK(b.second.a[0] == 1);
  CHECK(b.second.b[0] == 0);
}

TEST_CASE("scratch comes back when its frame ends, and is not allocated twice") {
  Scratch<B> scratch;
  double* first = nullptr;
  dim_t held = 0;
  for (int step = 0; step < 3; ++step) {
    const auto frame = scratch.frame();
    double* a = scratch.take(100);
    {
      const auto inner = scratch.frame();
      double* b = scratch.take(5000);
      CHECK(b != a);
      b[4999] = 1;
    }
    scratch.take(3000)[2999] = 1;
    if (step == 0) first = a, held = scratch.size();
    CHECK(a == first);
    CHECK(scratch.size() == held);
  }
}
