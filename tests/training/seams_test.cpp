#include <doctest/doctest.h>

#include <filesystem>

#include <rwkv/models/v1.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/ops/weight_format.hpp>
#include <rwkv/text/batches.hpp>
#include <rwkv/training/fit.hpp>

#include "../io/folder.hpp"
#include "sgd.hpp"

using namespace rwkv;

namespace {
using Net = v4::Model<256, 16, 2>;
using Config = BasicTrainConfig<test::Sgd>;

Corpus text() {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  return Corpus::of_text(words, Bytes());
}
}  // namespace

TEST_CASE("another optimizer steps as it says") {
  Model<Net> model(1);
  const auto before = model.params;
  Trainer trainer(model, Config{.schedule = {.learning_rate = 0.1, .warmup = 0}, .optimizer = {0.5}, .clip = 0},
                  Seq{2, 8});
  const RandomWindows windows(text(), {2, 8}, 1);
  trainer.accumulate(windows.at(0));
  const auto first = trainer.gradient();
  trainer.update();
  trainer.accumulate(windows.at(1));
  const auto second = trainer.gradient();
  trainer.update();
  double worst = 0, moved = 0;
  for (const Leaf& leaf : first.leaves())
    for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i) {
      const double v = first.data()[i], step = 0.1 * leaf.field.lr_scale * (v + 0.5 * v + second.data()[i]);
      const double found = double(before.data()[i]) - model.params.data()[i];
      worst = std::max(worst, std::abs(found - step)), moved = std::max(moved, std::abs(step));
    }
  CHECK(moved > 1e-2);
  CHECK(worst < 1e-5);
}

TEST_CASE("a checkpoint holds what the optimizer remembers, and resumes no other one's") {
  const test::Folder folder;
  const RandomWindows windows(text(), {2, 8}, 1);
  const Config config{.schedule = {.learning_rate = 0.1}};
  Model<Net> whole(1), resumed(2), other(3);
  Trainer one(whole, config, Seq{2, 8}), two(resumed, config, Seq{2, 8});
  for (dim_t i = 0; i < 3; ++i) one.step(windows.at(i));
  save_checkpoint(one, folder / "checkpoint");
  CHECK(SafetensorsFile(folder / "checkpoint").find("sgd.v.head.weight") != nullptr);
  load_checkpoint(two, folder / "checkpoint");
  for (dim_t i = 3; i < 6; ++i) CHECK(one.step(windows.at(i)) == two.step(windows.at(i)));
  CHECK(whole.params == resumed.params);
  Trainer adam(other, TrainConfig{}, Seq{2, 8});
  const auto said = test::message<Error>([&] { load_checkpoint(adam, folder / "checkpoint"); });
  CHECK_MESSAGE(said.find("adam.m.head.weight: expected F32 (256, 16), found nothing of that name") != said.npos, said);
}

TEST_CASE("a checkpoint of another version is refused by name") {
  const test::Folder folder;
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{2, 8});
  SafetensorsWriter writer;  // as version 0.1 wrote it
  writer.metadata["steps"] = "3";
  for (const auto& part : trainer.parts()) write_bundle(writer, part.name, part.own);
  writer.write(folder / "old");
  CHECK(test::message<Error>([&] { load_checkpoint(trainer, folder / "old"); }) ==
        folder / "old" +
            ": metadata \"checkpoint\": expected version 2, found nothing; it was written by an older version of the "
            "library: finish the run with that one, or start afresh");
}

TEST_CASE("an erased trainer is the trainer") {
  const test::Folder folder;
  const RandomWindows windows(text(), {2, 16}, 5);
  const auto run = [&](const char* name) {
    return RunConfig{.folder = folder / name, .steps = 6, .valid_every = 2, .valid_batches = 2, .save_every = 4};
  };
  Model<Net> a(1), b(1);
  Trainer trainer(a, TrainConfig{.accumulate = 2}, Seq{2, 16});
  const auto any = make_any_trainer(b, TrainConfig{.accumulate = 2}, Seq{2, 16});
  const auto one = fit(trainer, windows, windows, run("one")), two = fit(*any, windows, windows, run("two"));
  CHECK(one.last.loss == two.last.loss);
  CHECK(one.last.valid == two.last.valid);
  CHECK(one.last.gradient_norm == any->gradient_norm());
  CHECK(any->steps() == 6);
  CHECK(any->learning_rate() == trainer.learning_rate());
  CHECK(test::read(folder / "one/resume.safetensors") == test::read(folder / "two/resume.safetensors"));
  CHECK(test::read(folder / "one/model.safetensors") == test::read(folder / "two/model.safetensors"));
}

TEST_CASE("what is not trained has no gradient and no moments, and stays as it is") {
  using Early = v1::Model<256, 8, 1, 2, 4, 8, 16, activation::Silu, v1::Parity>;
  Model<Early> model(1);
  const auto before = model.params;
  Trainer trainer(model, TrainConfig{.schedule = {.learning_rate = 1e-2}}, Seq{2, 8});
  const auto idle = [](const Leaf& leaf) { return leaf.name.find("timemix.Receptance") != leaf.name.npos; };
  REQUIRE(std::ranges::count_if(before.leaves(), idle) == 2);
  for (const CheckpointPart& part : trainer.parts())
    CHECK(std::ranges::count_if(part.own.leaves, idle) == (part.name == "model." ? 2 : 0));
  CHECK(trainer.gradient().size() < before.size());
  for (const auto& batch : RandomWindows(text(), trainer.seq()).first(3)) trainer.step(batch);
  int moved = 0;
  for (const Leaf& leaf : before.leaves()) {
    bool same = true;
    for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i)
      same = same && before.data()[i] == model.params.data()[i];
    if (idle(leaf)) CHECK_MESSAGE(same, leaf.name);
    moved += !same;
  }
  CHECK(moved == int(before.leaves().size()) - 2);
}

TEST_CASE("a matrix that is stored in a format of its own cannot be trained") {
  using B = Cpu<float>;
  Model<Net> model(1);
  model.params = Owned<B, Net::Params<B>>({}, {.formats = {{"head.weight", &stored_as<B, bf16>}}});
  CHECK(test::message<Error>([&] {
          Trainer(model, TrainConfig{}, Seq{2, 8});
        }) ==
        "Trainer: expected all tensors as F32, which are trained, found head.weight stored as BF16; load the model "
        "without formats for its matrices");
}
