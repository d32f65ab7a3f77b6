#include <doctest/doctest.h>

#include <cmath>

#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/v4/time_mix.hpp>
#include <rwkv/ops/squared_error.hpp>
#include <rwkv/training/trainer.hpp>

using namespace rwkv;

namespace {
using B = Cpu<double>;
constexpr Seq seq{2, 5};
struct Net : Sequential<Named<"in", Linear<2, 8>>, Residual<Named<"mix", v4::TimeMix<8>>>, Named<"out", Linear<8, 3>>> {
};
/// y = e^x, whose backward needs its outputs.
struct Exp {
  using In = Shape<Batch, Time, 3>;
  using Out = In;
  static constexpr dim_t flops = 0;
  template <class>
  using Params = Empty;
  template <class>
  using State = Empty;
  template <class M>
  struct Cache {
    TensorOf<M, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) { f(Field{"y"}, c.y...); }
  };
  template <class M>
  static TensorOf<M, Out> forward(Context<M>&, const Empty&, TensorOf<M, In> x, Cache<M>& c, Empty&) {
    for (dim_t i = 0; i < x.size(); ++i) c.y[i] = std::exp(x[i]);
    return c.y;
  }
  template <class M>
  static void backward(Context<M>&, const Empty&, const Cache<M>& c, TensorOf<M, Out> dy, TensorOf<M, In> dx, Empty&,
                       Empty&) {
    for (dim_t i = 0; i < dx.size(); ++i) dx[i] = dy[i] * c.y[i];
  }
};
struct Positive : Sequential<Linear<2, 3>, Exp> {};

Model<Net, B> lively() {  // away from the zeros of the initial values
  Model<Net, B> model(1);
  for (dim_t i = 0; i < model.params.size(); ++i)
    model.params.data()[i] += 0.3 * Random{5}.normals(std::uint64_t(i))[0];
  return model;
}
struct Problem {
  std::vector<double> x, target;
  Problem() : x(seq.tokens() * 2), target(seq.tokens() * 3) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = Random{1}.normals(i)[0];
    for (std::size_t i = 0; i < target.size(); ++i) target[i] = Random{2}.normals(i)[0];
  }
  Tensor<B, Batch, Time, 2> input() { return {x.data(), seq}; }
  auto loss() { return SquaredError(Tensor<B, Batch, Time, 3>{target.data(), seq}); }
};
}  // namespace

TEST_CASE("the squared error is the mean over all numbers, and its gradient the derivative") {
  Scratch<B> scratch;
  double y[] = {1, 2, 3, 4}, target[] = {1, 4, 2, 0};
  const Seq two{1, 2};
  const Tensor<B, Batch, Time, 2> a{y, two}, b{target, two};
  CHECK(squared_error<B>(scratch, a, b) == doctest::Approx((0 + 4 + 1 + 16) / 4.0));
  CHECK(y[1] == 2);
  CHECK(squared_error_backward<B>(scratch, a, b, 3) == doctest::Approx((0 + 4 + 1 + 16) / 4.0));
  const double expected[] = {0, -2, 1, 4};
  for (int i = 0; i < 4; ++i) CHECK(y[i] == doctest::Approx(3 * 2 * expected[i] / 4));
}

TEST_CASE_TEMPLATE("gradients of any net by any loss are derivatives", N, Net, Positive) {
  Model<N, B> model(1);
  for (dim_t i = 0; i < model.params.size(); ++i)
    model.params.data()[i] += 0.3 * Random{5}.normals(std::uint64_t(i))[0];
  Problem problem;
  Trainer trainer(model, TrainConfig{.accumulate = 2}, seq);
  trainer.accumulate(problem.input(), problem.loss());
  const auto gradient = trainer.gradient();
  double worst = 0, most = 0;
  for (const Leaf& leaf : gradient.leaves())
    for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; i += 3) {
      double& w = model.params.data()[i];
      const double keep = w, h = 1e-6;
      const auto loss = [&](double at) { return w = at, trainer.accumulate(problem.input(), problem.loss()); };
      const double derivative = (loss(keep + h) - loss(keep - h)) / (2 * h);
      w = keep;
      worst = std::max(worst, std::abs(gradient.data()[i] - derivative / 2)),
      most = std::max(most, std::abs(derivative));
    }
  CHECK(most > 0.1);
  CHECK(worst < 1e-8);
}

TEST_CASE("the initial state's gradient is the derivative") {
  auto model = lively();
  Problem problem;
  Trainer trainer(model, TrainConfig{.carry = true}, seq);
  trainer.accumulate(problem.input(), problem.loss());
  const auto start = trainer.state();
  for (int i = 0; i < 2; ++i) trainer.state() = start, trainer.accumulate(problem.input(), problem.loss(), true);
  const auto gradient = trainer.state_gradient();
  double worst = 0, most = 0;
  for (const Leaf& leaf : start.leaves())
    for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i) {
      const auto loss = [&](double h) {
        trainer.state() = start;
        trainer.state().data()[i] += h;
        return trainer.accumulate(problem.input(), problem.loss(), true);
      };
      const double derivative = (loss(1e-6) - loss(-1e-6)) / 2e-6;
      worst = std::max(worst, std::abs(gradient.data()[i] - derivative)), most = std::max(most, std::abs(derivative));
    }
  CHECK(most > 0.01);
  CHECK(worst < 1e-8);
}

TEST_CASE("a net without a vocabulary learns") {
  Model<Net, B> model(1);
  Problem problem;
  Trainer trainer(model, TrainConfig{.schedule = {.learning_rate = 1e-2}}, seq);
  const double first = trainer.step(problem.input(), problem.loss());
  double last = 0;
  for (int i = 0; i < 300; ++i) last = trainer.step(problem.input(), problem.loss());
  CHECK(trainer.steps() == 301);
  CHECK(first > 0.5);
  CHECK(last < 0.1);
  CHECK_THROWS_WITH_AS(trainer.step(Tensor<B, Batch, Time, 2>{problem.x.data(), {1, 4}}, problem.loss()),
                       "Trainer: expected a signal of 2 x 5 tokens, found 1 x 4", Error);
}
