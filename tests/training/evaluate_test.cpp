#include <doctest/doctest.h>

#include <rwkv/models/v4.hpp>
#include <rwkv/text/batches.hpp>
#include <rwkv/training/trainer.hpp>

using namespace rwkv;

namespace {
/// Counts the scalars that are allocated.
template <class T>
struct Counting : Cpu<T> {
  static inline dim_t taken = 0;
  static T* allocate(dim_t n) { return taken += n, Cpu<T>::allocate(n); }
};
using B = Counting<float>;
using Net = v4::Model<256, 32, 2>;
constexpr Seq seq{2, 8};

Corpus text() {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  return Corpus::of_text(words, Bytes());
}
}  // namespace

TEST_CASE("evaluating takes memory for a forward pass, none for gradients or moments") {
  const Model<Net, B> model(1);
  const dim_t before = B::taken;
  evaluate(model, RandomWindows(text(), seq), 2);
  const dim_t taken = B::taken - before;
  CHECK(taken >= cache_units<Net>(seq));
  CHECK(taken < cache_units<Net>(seq) + parameters<Net>() / 2);

  Model<Net, B> trained(1);
  Trainer trainer(trained, TrainConfig{}, seq);
  const RandomWindows windows(text(), seq);
  trainer.evaluate(windows, 1);
  const dim_t held = B::taken;
  trainer.evaluate(windows, 2);
  CHECK(B::taken - held < cache_units<Net>(seq) / 4);  // the trainer's own memory serves, but for a state
}

TEST_CASE("the mean of no batches is refused, and so are numbers that cannot be") {
  const Model<Net> model(1);
  const RandomWindows batches(text(), {2, 8});
  constexpr dim_t most = std::numeric_limits<dim_t>::max();
  CHECK_THROWS_WITH_AS(evaluate(model, batches, 0),
                       "evaluate: expected at least 1 batch, from number 0 on, found 0 from 0", Error);
  CHECK_THROWS_AS(evaluate(model, batches, -3), Error);
  CHECK_THROWS_AS(evaluate(model, batches, 1, -1), Error);
  CHECK_THROWS_AS(evaluate(model, batches, 2, most - 1), Error);
}

TEST_CASE("a trainer evaluates as the free function does, and is left as it was") {
  Model<Net> model(1), same(1);
  Trainer trainer(model, TrainConfig{.carry = true}, seq), undisturbed(same, TrainConfig{.carry = true}, seq);
  const ContiguousBatches batches(text(), seq);
  for (dim_t i = 0; i < 5; ++i) trainer.step(batches.at(i)), undisturbed.step(batches.at(i));
  const double loss = trainer.evaluate(batches, 4, 3);
  CHECK(loss == evaluate(model, batches, 4, 3, true));
  CHECK(loss != evaluate(model, batches, 4, 3));
  CHECK(loss != evaluate(model, batches, 4, 2, true));
  for (dim_t i = 5; i < 8; ++i) CHECK(trainer.step(batches.at(i)) == undisturbed.step(batches.at(i)));
}
