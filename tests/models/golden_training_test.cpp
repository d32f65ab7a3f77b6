#include <rwkv/training/trainer.hpp>

#include <doctest/doctest.h>

#include "golden.hpp"

using namespace golden;

TEST_CASE_TEMPLATE("20 steps of AdamW have PyTorch's losses, see golden/small_model.py", Golden, Rwkv4, Rwkv5_0,
                   Rwkv5_1, Rwkv5_2, Rwkv6, Rwkv7) {
  using B = Cpu<double>;
  const SafetensorsFile expected(file<Golden>("_expected.safetensors"));
  std::vector<double> losses(20);
  expected.read("training", std::vector<dim_t>{20}, std::span(losses));
  Model<typename Golden::Net, B> model;
  load(model, file<Golden>(".safetensors"));
  const TrainConfig config{
      .schedule = {.learning_rate = 1e-3, .warmup = 0}, .optimizer = {.eps = 1e-18, .decay = 0.1}, .clip = 0};
  Trainer trainer(model, config, seq);
  const Minibatch batch{seq, tokens(expected, 0), tokens(expected, 1)};
  for (const double loss : losses) CHECK(trainer.step(batch) == doctest::Approx(loss).epsilon(1e-9));
}
