#include "../io/folder.hpp"
#include "both_machines.hpp"

using namespace test;
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
