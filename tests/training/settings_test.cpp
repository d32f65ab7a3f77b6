#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <rwkv/models/v4.hpp>
#include <rwkv/training/fit.hpp>

#include "sgd.hpp"

using namespace rwkv;

namespace {
using Net = v4::Model<256, 16, 1>;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(),
                 infinity = std::numeric_limits<double>::infinity();
constexpr dim_t least = std::numeric_limits<dim_t>::min();

/// What a trainer with this config says, or nothing.
template <class O>
std::string said(const BasicTrainConfig<O>& config) {
  Model<Net> model(1);
  try {
    Trainer trainer(model, config, Seq{1, 4});
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// An optimizer that has something to say about its coefficients.
struct Picky : test::Sgd {
  double damping = 0;
  void check() const {
    if (damping > 1) throw Error("Picky: damping");
  }
};
}  // namespace

TEST_CASE("a trainer refuses settings out of their range, and names config, setting, range and what it found") {
  CHECK(said(TrainConfig{.accumulate = 0}) == "TrainConfig: expected accumulate of at least 1, found 0");
  CHECK(said(TrainConfig{.accumulate = std::numeric_limits<int>::min()}) ==
        "TrainConfig: expected accumulate of at least 1, found -2147483648");
  for (const double bad : {-1.0, not_a_number, infinity, -infinity}) {
    CAPTURE(bad);
    const std::string found = detail::sentence({" of at least 0, found ", bad});
    CHECK(said(TrainConfig{.clip = bad}) == "TrainConfig: expected clip" + found);
    CHECK(said(TrainConfig{.l2wrap = bad}) == "TrainConfig: expected l2wrap" + found);
    CHECK(said(TrainConfig{.schedule = {.learning_rate = bad}}) == "Schedule: expected learning_rate" + found);
    CHECK(said(TrainConfig{.schedule = {.final_learning_rate = bad}}) ==
          "Schedule: expected final_learning_rate" + found);
    CHECK(said(TrainConfig{.optimizer = {.decay = bad}}) == "AdamW: expected decay" + found);
  }
  for (const dim_t bad : {dim_t{-1}, least}) {
    const std::string found = detail::sentence({" of at least 0, found ", bad});
    CHECK(said(TrainConfig{.schedule = {.warmup = bad}}) == "Schedule: expected warmup" + found);
    CHECK(said(TrainConfig{.schedule = {.steps = bad}}) == "Schedule: expected steps" + found);
  }
  for (const double bad :
       {-0.1, 1.0, 1.5, not_a_number, infinity, 0.999999999}) {  // the last is 1 as a float: nothing moves
    const std::string found = detail::sentence({" from 0 to below 1, found ", bad});
    CHECK(said(TrainConfig{.optimizer = {.beta1 = bad}}) == "AdamW: expected beta1" + found);
    CHECK(said(TrainConfig{.optimizer = {.beta2 = bad}}) == "AdamW: expected beta2" + found);
  }
  for (const double bad : {0.0, -1e-8, not_a_number, infinity, 1e-60})  // the last is 0 as a float: 0 / 0
    CHECK(said(TrainConfig{.optimizer = {.eps = bad}}) ==
          detail::sentence({"AdamW: expected eps above 0, found ", bad}));
}

TEST_CASE("settings at the ends of their ranges are taken") {
  CHECK(said(TrainConfig{}).empty());
  CHECK(said(TrainConfig{.schedule = {.learning_rate = 0, .final_learning_rate = 0, .warmup = 0, .steps = 0},
                         .optimizer = {.beta1 = 0, .beta2 = 0, .eps = 1e-30, .decay = 0},
                         .clip = 0})
            .empty());
  CHECK(said(TrainConfig{.schedule = {.warmup = std::numeric_limits<dim_t>::max()}}).empty());
  CHECK(Schedule{.warmup = std::numeric_limits<dim_t>::max()}(0) < 1e-20);
}

TEST_CASE("an optimizer of one's own may check itself") {
  CHECK(said(BasicTrainConfig<Picky>{}).empty());
  Picky picky;
  picky.damping = 2;
  CHECK(said(BasicTrainConfig<Picky>{.optimizer = picky}) == "Picky: damping");
  CHECK(said(BasicTrainConfig<test::Sgd>{.accumulate = 0}) ==
        "TrainConfig: expected accumulate of at least 1, found 0");
}

TEST_CASE("a run refuses numbers out of their range before it touches a file") {
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{1, 4});
  const Batches source = RandomWindows(Corpus::of_text("to be or not to be", Bytes()), {1, 4});
  const auto refused = [&](RunConfig run) {
    run.folder = "/no/such/folder";
    try {
      fit(trainer, source, source, run);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused({.steps = -1}) == "RunConfig: expected steps of at least 0, found -1");
  CHECK(refused({.valid_every = -1}) == "RunConfig: expected valid_every of at least 0, found -1");
  CHECK(refused({.valid_batches = 0}) == "RunConfig: expected valid_batches of at least 1, found 0");
  CHECK(refused({.save_every = least}) == "RunConfig: expected save_every of at least 0, found -9223372036854775808");
}
