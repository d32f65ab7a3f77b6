// No vocabulary: RWKV-4's time mixing learns a sine wave by its squared error, then goes on by itself.
#include <cmath>
#include <cstdio>
#include <numbers>
#include <rwkv/ops/squared_error.hpp>
#include <rwkv/rwkv.hpp>
using namespace rwkv;

using B = Cpu<float>;
struct Net : Sequential<Linear<1, 16>, Residual<v4::TimeMix<16>>, Residual<v4::TimeMix<16>>, Linear<16, 1>> {};
using Signal = Tensor<B, Batch, Time, 1>;

float wave(double token) {
  return float(std::sin(2 * std::numbers::pi * token / 16));
}

int main() {
  const Seq seq{.batch = 8, .time = 48};
  const Schedule schedule{.learning_rate = 1e-2, .steps = 1500, .curve = Schedule::Curve::cosine};
  Model<Net> model(1);
  Trainer train{model, TrainConfig{.schedule = schedule}, seq};
  std::vector<float> inputs(seq.tokens()), targets(seq.tokens());
  double loss = 0;
  for (std::uint64_t step = 0; dim_t(step) < schedule.steps; ++step) {
    for (dim_t b = 0; b < seq.batch; ++b) {
      const double start = 16 * Random{std::uint64_t(b)}.uniform(step);
      for (dim_t t = 0; t < seq.time; ++t) {
        inputs[b * seq.time + t] = wave(start + t);
        targets[b * seq.time + t] = wave(start + t + 1);
      }
    }
    loss = train.step(Signal{inputs.data(), seq}, SquaredError(Signal{targets.data(), seq}));
  }
  std::printf("loss %.6f\n", loss);

  // One token at a time: 30 that are given, then 20 of which each is what the model said before.
  Owned<B, Net::Cache<B>> cache(Seq{1, 1});
  Context<B> context;
  auto state = model.fresh_state();
  float x = 0, worst = 0;
  for (int t = 0; t < 50; ++t) {
    if (t < 30) x = wave(t);
    x = Net::forward(context, model.params, Signal{&x, {1, 1}}, cache.view(), state.view())[0];
    if (t < 30) continue;
    std::printf("%8.4f expected, %8.4f written\n", wave(t + 1), x);
    worst = std::max(worst, std::abs(x - wave(t + 1)));
  }
  std::printf("farthest %.4f\n", worst);
  return worst < 0.1f ? 0 : 1;
}
