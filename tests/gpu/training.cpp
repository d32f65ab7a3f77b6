#include <doctest/doctest.h>

#include <cmath>

#include <rwkv/gpu.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/rwkv.hpp>
#include <rwkv/training/checkpoint.hpp>

#include "../io/folder.hpp"

using namespace rwkv;

namespace {
using Rwkv = v4::Model<256, 16, 2>;
using Gpt2 = gpt2::Model<256, 16, 2, 2, 32>;
constexpr Seq seq{3, 16};

Corpus text() {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  return Corpus::of_text(words, Bytes());
}
/// A state is carried where positions do not run out.
template <class Net>
TrainConfig config() {
  return {.schedule = {.learning_rate = 3e-3},
          .accumulate = 2,
          .l2wrap = official_l2wrap,
          .carry = std::is_same_v<Net, Rwkv>};
}
double farthest(const auto& a, const auto& b) {
  double most = 0;
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(double(a[i]) - double(b[i])));
  return most;
}

/// What training from the same seed leaves on both machines, and how far apart the losses were on the way.
template <class Net, class T>
struct Both {
  Model<Net, Cpu<T>> home{7};
  Model<Net, Gpu<T>> there{7};
  Trainer<Net, Cpu<T>> at_home{home, config<Net>(), seq};
  Trainer<Net, Gpu<T>> over_there{there, config<Net>(), seq};
  double train(dim_t from, dim_t steps) {
    double off = 0;
    for (const auto& batch : ContiguousBatches(text(), seq).steps(from, steps))
      off = std::max(off, std::abs(at_home.step(batch) - over_there.step(batch)));
    return off;
  }
};
}  // namespace

TEST_CASE_TEMPLATE("training on the processor and on the GPU differs by rounding", Net, Rwkv, Gpt2) {
  Both<Net, double> exact;
  CHECK(farthest(exact.home.params.download(), exact.there.params.download()) == 0);
  CHECK(exact.train(0, 20) < 1e-10);
  CHECK(farthest(exact.home.params.download(), exact.there.params.download()) < 1e-9);
  CHECK(exact.at_home.gradient_norm() == doctest::Approx(exact.over_there.gradient_norm()).epsilon(1e-9));
  const RandomWindows unseen(text(), seq, 3);
  CHECK(exact.at_home.evaluate(unseen, 2) == doctest::Approx(exact.over_there.evaluate(unseen, 2)).epsilon(1e-10));
  Both<Net, float> usual;
  CHECK(usual.train(0, 20) < 1e-3);
}

template <class Pair>
void move_checkpoint(double allowed) {
  const test::Folder folder;
  Pair both;
  both.train(0, 4);
  save_checkpoint(both.at_home, folder / "home");
  load_checkpoint(both.over_there, folder / "home");
  CHECK(both.home.params.download() == both.there.params.download());
  save_checkpoint(both.over_there, folder / "there");
  CHECK(test::read(folder / "home") == test::read(folder / "there"));
  CHECK(both.over_there.steps() == both.at_home.steps());
  CHECK(both.train(4, 4) < allowed);
}
TEST_CASE("a checkpoint moves between machines unchanged") {
  move_checkpoint<Both<Rwkv, float>>(1e-4);
  move_checkpoint<Both<Gpt2, float>>(1e-4);
  move_checkpoint<Both<Rwkv, bf16>>(std::numeric_limits<bf16>::epsilon());
}

TEST_CASE_TEMPLATE("a text goes on the same on both machines, past the end of a context", Net, Rwkv, Gpt2) {
  Both<Net, double> both;
  both.train(0, 10);
  Generator home(both.home, text().tokenizer(), SamplerConfig{.temperature = 0.5, .seed = 4});
  Generator there(both.there, text().tokenizer(), SamplerConfig{.temperature = 0.5, .seed = 4});
  const std::string prompt =
      "a prompt that is longer than a chunk of one or the other model, so that it is read in two.";
  CHECK(home(prompt, 40) == there(prompt, 40));
  CHECK(farthest(home.logits(), there.logits()) < 1e-5);
}

TEST_CASE("what is no number stops a run on the GPU as well") {
  Model<Rwkv, Gpu<float>> model;
  Trainer trainer(model, TrainConfig{}, seq);
  trainer.step(ContiguousBatches(text(), seq).at(0));
  const float none = std::nanf("");
  for (const Leaf& leaf : model.params.leaves())
    if (leaf.name == "blocks.1.ffn.key.weight") Gpu<float>::upload(model.params.data() + leaf.offset + 3, &none, 1);
  const auto said = test::message<NotFinite>([&] { trainer.step(ContiguousBatches(text(), seq).at(1)); });
  CHECK_MESSAGE(said.find("blocks.1.ffn.key.weight") != said.npos, said);
}

TEST_CASE(
    "a GPU is not waited for to learn that a context is full: what is too many becomes NaN, and the trainer says why") {
  using Short = gpt2::Model<256, 16, 1, 2, 16>;
  constexpr Seq half{2, 12};
  Model<Short, Gpu<float>> model;
  Trainer trainer(model, TrainConfig{.carry = true}, half);
  const ContiguousBatches batches(text(), half);
  trainer.step(batches.at(0));
  const auto said = test::message<NotFinite>([&] { trainer.step(batches.at(1)); });
  CHECK_MESSAGE(said.find("the loss (of sequences of more than 16 tokens, its context?)") != said.npos, said);
}
