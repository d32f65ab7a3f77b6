#include <doctest/doctest.h>

#include <rwkv/rwkv.hpp>

#include "../every/lists.hpp"
#include "guarded.hpp"

using namespace rwkv;
using B = test::Guarded<float>;

TEST_CASE_TEMPLATE_DEFINE("training keeps to the verbs in every model", Net, keep_to_verbs) {
  const Corpus text = Corpus::of_text("now how, who won", Characters("now how, who won"));
  Model<Net, B> model;
  Trainer trainer(model, TrainConfig{}, Seq{1, 8});
  trainer.step(RandomWindows(text, trainer.seq()).at(0));
}
TEST_CASE_TEMPLATE_APPLY(keep_to_verbs, every::layers_of<every::Models>);
