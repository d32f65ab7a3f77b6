#include <doctest/doctest.h>

#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/v4/time_mix.hpp>
#include <rwkv/ops/cross_entropy.hpp>
#include <rwkv/ops/norm.hpp>
#include <rwkv/testing/doctest.hpp>
#include <rwkv/testing/machines.hpp>
#include <rwkv/training/adamw.hpp>

#include "host_grid.hpp"
#include "in_both_orders.hpp"

// The kernels in blocks give what the portable ones give on the processor: on sizes below and above a block, with
// either order of a block's threads. All layers and models are in laws_test.cpp.
using namespace rwkv;
using test::HostGrid;
using test::in_both_orders;

namespace {
/// The same operands on both machines.
template <class T>
std::vector<T> drawn(testing::Draw& draw, dim_t n, double size = 1) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (T& value : x) value = T(size * draw.normal());
  return x;
}
template <class T>
void check_near(const std::vector<T>& expected, const std::vector<T>& found, double allowed) {
  REQUIRE(expected.size() == found.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double a = double(expected[i]), b = double(found[i]);
    if (!(std::abs(a - b) <= allowed * std::max(1.0, std::abs(a)) || (std::isnan(a) && std::isnan(b))))
      FAIL_CHECK("at " << i << ": expected " << a << ", found " << b);
  }
}
template <class T>
constexpr double eps = std::numeric_limits<T>::epsilon();

template <class T, dim_t V>
void try_cross_entropy(testing::Draw& draw, Seq seq, double size, double l2wrap) {
  using Logits = View<T, Shape<Batch, Time, V>>;
  Scratch<Cpu<T>> home;
  Scratch<HostGrid<T>> there;
  const auto z = drawn<T>(draw, seq.tokens() * V, size);
  auto expected = z, found = z;
  std::vector<std::int32_t> targets;
  for (dim_t i = 0; i < seq.tokens(); ++i) targets.push_back(std::int32_t(draw.below(V)));
  if (seq.tokens() > 1) expected[0] = found[0] = expected[V - 1] = found[V - 1] = T(9 * size);  // which is the first?
  const TokenIds ids{targets.data(), seq};
  const double allowed = 8 * eps<T> * std::max(1.0, size) * 4;
  CHECK(cross_entropy<HostGrid<T>>(there, Logits{found.data(), seq}, ids) ==
        doctest::Approx(cross_entropy<Cpu<T>>(home, Logits{expected.data(), seq}, ids)).epsilon(allowed));
  CHECK(cross_entropy_backward<HostGrid<T>>(there, Logits{found.data(), seq}, ids, 0.5, l2wrap) ==
        doctest::Approx(cross_entropy_backward<Cpu<T>>(home, Logits{expected.data(), seq}, ids, 0.5, l2wrap))
            .epsilon(allowed));
  check_near(expected, found, allowed);
}

/// Leaves of several rates, some of which decay, with gaps between them.
template <class B>
struct Several {
  Tensor<B, 3> a;
  Tensor<B, 40, 70> b;
  Tensor<B, 17> c, d;
  static constexpr void fields(auto&& f, auto&&... p) {
    f(Field{.name = "a", .lr_scale = 2}, p.a...);
    f(Field{"b", init::zeros, true}, p.b...);
    f(Field{.name = "c", .lr_scale = 3}, p.c...);
    f(Field{.name = "d", .lr_scale = 3}, p.d...);
  }
};
/// More changes of rate than one launch takes.
template <class B>
struct Many {
  static constexpr bool unfolds = true;
  std::array<Several<B>, 50> at;
  static constexpr void fields(auto&& f, auto&&... p) {
    for (int i = 0; i < 50; ++i) f(Field{.index = i, .depth = 50}, p.at[i]...);
  }
};

template <class B, template <class> class P>
auto stepped(std::uint64_t seed) {
  testing::Draw draw(seed);
  Owned<B, P<B>> params, gradient;
  std::array<Owned<B, P<B>>, 2> moments;
  const std::array all{&params, &gradient, &moments[0], &moments[1]};
  for (auto* bundle : all)
    for (const Leaf& leaf : bundle->leaves())
      for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i) bundle->data()[i] = std::abs(draw.normal());
  const Trained<B, 2> trained{params.leaves(), params.data(), gradient.data(), {moments[0].data(), moments[1].data()}};
  for (dim_t step = 1; step <= 3; ++step) AdamW{}.step({step, 1e-2, 0.7}, trained);
  std::vector<double> numbers;
  for (auto* bundle : all) numbers.insert(numbers.end(), bundle->data(), bundle->data() + bundle->size());
  return numbers;
}
}  // namespace

TEST_CASE_TEMPLATE("layer normalisation, token shift and embeddings agree, wider than a block or not", L, LayerNorm<1>,
                   LayerNorm<32>, LayerNorm<300>, LayerNorm<5000>, Embedding<5, 300>, Embedding<1, 1>,
                   v4::TimeMix<257, 3>) {
  in_both_orders([] {
    testing::expect(testing::check_machines<L, HostGrid<double>>({.cases = 4, .bounded = true, .vocabulary = 5}));
  });
}
TEST_CASE_TEMPLATE("in float they do, too", L, LayerNorm<300>, Embedding<5, 300>, v4::TimeMix<257, 3>) {
  in_both_orders([] {
    testing::expect(testing::check_machines<L, HostGrid<float>>({.cases = 4, .bounded = true, .vocabulary = 5}));
  });
}

TEST_CASE_TEMPLATE("cross-entropy and its gradient agree", T, float, double) {
  testing::Draw draw(11);
  for (const double size : {1.0, 80.0})
    for (const double l2wrap : {0.0, 0.3})
      in_both_orders([&] {
        try_cross_entropy<T, 1>(draw, {1, 3}, size, l2wrap);
        try_cross_entropy<T, 13>(draw, {2, 5}, size, l2wrap);
        try_cross_entropy<T, 1000>(draw, {3, 1}, size, l2wrap);
        try_cross_entropy<T, 20011>(draw, {1, 2}, size, l2wrap);  // re-read
        try_cross_entropy<T, 13>(draw, {2, 0}, size, l2wrap);
      });
}
TEST_CASE("what is no number among logits is none in the loss") {
  using T = float;
  for (const T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()})
    for (const std::size_t at : {0, 7, 99}) {
      std::vector<T> z(100, 1);
      z[at] = bad;
      const std::int32_t target = 3;
      Scratch<HostGrid<T>> scratch;
      CHECK(std::isnan(cross_entropy_backward<HostGrid<T>>(scratch, Tensor<HostGrid<T>, Batch, Time, 100>{z.data(), {}},
                                                           TokenIds{&target, {}}, 1, 0.1)));
    }
}

TEST_CASE_TEMPLATE("the sum of squares agrees", T, float, double) {
  testing::Draw draw(12);
  for (const dim_t n : {0, 1, 255, 16384, 16385, 50003}) {
    const auto x = drawn<T>(draw, n);
    Scratch<Cpu<T>> home;
    Scratch<HostGrid<T>> there;
    CHECK(sum_of_squares<HostGrid<T>>(there, n, x.data()) ==
          doctest::Approx(sum_of_squares<Cpu<T>>(home, n, x.data())).epsilon(64 * eps<T>));
  }
}

TEST_CASE("AdamW over the flat memory steps every tensor as its field says") {
  check_near(stepped<Cpu<double>, Several>(1), stepped<HostGrid<double>, Several>(1), 1e-14);
  check_near(stepped<Cpu<double>, Many>(2), stepped<HostGrid<double>, Many>(2), 1e-14);
}
