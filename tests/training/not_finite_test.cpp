#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include <rwkv/io/load.hpp>

#include "small_run.hpp"

using namespace rwkv;
using test::Net;
using test::plan;
using test::says;

namespace {
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

/// Every number that the next step depends on.
template <class T>
std::vector<float> everything(T& trainer) {
  std::vector<float> all;
  for (const CheckpointPart& part : trainer.parts())
    for (const Leaf& leaf : part.own.leaves) {
      const auto* numbers = reinterpret_cast<const float*>(part.own.of(leaf));
      all.insert(all.end(), numbers, numbers + leaf.size);
    }
  const auto gradient = trainer.gradient().download();
  all.insert(all.end(), gradient.begin(), gradient.end());
  all.push_back(float(trainer.steps())), all.push_back(float(trainer.gradient_norm()));
  return all;
}
dim_t saved_step(const std::string& folder) {
  return detail::checkpoint_steps(SafetensorsFile(folder + "/resume.safetensors"));
}
}  // namespace

TEST_CASE("after what is not finite a trainer is as the step before left it, and goes on with a lower rate") {
  const ContiguousBatches batches(test::text(), {2, 16});
  for (const int accumulate : {1, 3})
    for (const bool carry : {false, true})
      for (const bool in_update : {false, true}) {
        CAPTURE(accumulate);
        CAPTURE(carry);
        CAPTURE(in_update);
        const TrainConfig config{.schedule = {.learning_rate = 3e-3}, .accumulate = accumulate, .carry = carry};
        Model<Net> hurt(1), whole(1);
        Trainer one(hurt, config, Seq{2, 16}), two(whole, config, Seq{2, 16});
        for (dim_t i = 0; i < 2 * accumulate; ++i) one.step(batches.at(i)), two.step(batches.at(i));
        const auto before = everything(one);
        float& weight = hurt.params.data()['n' * 16];
        const float kept = weight;
        dim_t i = 2 * accumulate;
        for (; i + 1 < 3 * accumulate; ++i) one.step(batches.at(i));
        if (in_update) {
          one.accumulate(batches.at(i));
          one.gradient().data()[5] = infinity;
          CHECK_THROWS_AS(one.update(), NotFinite);
        } else {
          weight = not_a_number;
          CHECK_THROWS_AS(one.step(batches.at(i)), NotFinite);
          weight = kept;
        }
        const auto after = everything(one);
        if (carry) {
          CHECK(std::memcmp(before.data(), after.data(), before.size() * sizeof(float)) == 0);
        } else {
          CHECK(after.back() == before.back());
          for (const float g : one.gradient().download()) CHECK(g == 0);
        }
        const Schedule slower{.learning_rate = 1e-3};
        one.set_schedule(slower), two.set_schedule(slower);
        for (dim_t j = 2 * accumulate; j < 4 * accumulate; ++j)
          CHECK(one.step(batches.at(j)) == two.step(batches.at(j)));
        CHECK(hurt.params == whole.params);
      }
}

TEST_CASE("batches since the last update can be forgotten") {
  const ContiguousBatches batches(test::text(), {2, 16});
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{.accumulate = 4, .carry = true}, Seq{2, 16});
  for (dim_t i = 0; i < 4; ++i) trainer.step(batches.at(i));
  const auto before = everything(trainer);
  trainer.rewind();
  CHECK(everything(trainer) == before);
  trainer.step(batches.at(4)), trainer.step(batches.at(5));
  CHECK(everything(trainer) != before);
  trainer.rewind();
  CHECK(everything(trainer) == before);
}

TEST_CASE("a loss that is no number names the step, the tensor and the checkpoint") {
  const test::Folder folder;
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{2, 16});
  const auto source = test::watched([&](dim_t step) {
    if (step == 6) model.params.data()['n' * 16] = not_a_number;
  });
  const auto said = test::message<NotFinite>([&] { fit(trainer, source, std::nullopt, plan(folder / "run", 100)); });
  for (const std::string& word : {std::string("step 6"), std::string("emb.weight"),
                                  "the last good checkpoint is " + folder / "run/resume.safetensors"})
    CHECK_MESSAGE(says(said, word), said);
  CHECK(saved_step(folder / "run") == 4);
}

TEST_CASE("a checkpoint is not replaced by weights whose loss is not finite") {
  const test::Folder folder;
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{.schedule = {.learning_rate = 1e-3, .warmup = 0}, .clip = 0}, Seq{2, 16});
  const auto source = test::watched([&](dim_t step) {  // finite weights after it, but too large for any loss
    if (step == 7) trainer.set_schedule({.learning_rate = 1e37, .warmup = 0});
  });
  const auto said = test::message<NotFinite>([&] { fit(trainer, source, std::nullopt, plan(folder / "run", 20)); });
  CHECK_MESSAGE(said ==
                    "step 8: the loss after the update is not finite; nothing of this step was saved. Train with a "
                    "lower learning rate, or look for bad data; the last good checkpoint is " +
                        folder / "run/resume.safetensors",
                said);
  CHECK(saved_step(folder / "run") == 4);
  Model<Net> left(2);
  load(left, folder / "run/model.safetensors");
  CHECK(std::isfinite(evaluate(left, ContiguousBatches(test::text(), {2, 16}), 2)));
  CHECK(test::curve(folder / "run/log.csv").size() == 1 + 8);
}

TEST_CASE("a checkpoint is not replaced by moments that are not finite") {
  const test::Folder folder;
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{2, 16});
  const auto source = test::watched([&](dim_t step) {
    if (step != 7) return;
    for (const CheckpointPart& part : trainer.parts())
      if (part.name == "adam.v.") *reinterpret_cast<float*>(part.own.data) = infinity;
  });
  const auto said = test::message<NotFinite>([&] { fit(trainer, source, std::nullopt, plan(folder / "run", 20)); });
  CHECK_MESSAGE(says(said, "step 8: adam.v."), said);
  CHECK(saved_step(folder / "run") == 4);
}

TEST_CASE("a validation loss that is no number stops the run and names the text") {
  const test::Folder folder;
  /// Breaks the model while it is validated.
  struct Breaking {
    RandomWindows inner;
    Model<Net>* model;
    Seq seq() const { return inner.seq(); }
    const Corpus& corpus() const { return inner.corpus(); }
    void fill(dim_t step, Minibatch& batch) const {
      model->params.data()[0] = model->params.data()[1] = 0;
      for (dim_t i = 0; i < 256 * 16; ++i) model->params.data()[i] = not_a_number;
      inner.fill(step, batch);
    }
  };
  test::write(folder / "valid.txt", std::string(test::read(RWKV_TESTS_DIR "/training/not_finite_test.cpp")));
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{2, 16});
  const Breaking valid{RandomWindows(Corpus(folder / "valid.txt", Bytes()), {2, 16}), &model};
  RunConfig run = plan(folder / "run", 20);
  run.save_every = 2;
  const auto said = test::message<NotFinite>([&] {
    fit(trainer, ContiguousBatches(test::text(), {2, 16}), std::optional<Batches>(valid), run);
  });
  CHECK_MESSAGE(says(said, "step 3: the validation loss on " + folder / "valid.txt is not finite"), said);
  CHECK_MESSAGE(says(said, "the last good checkpoint is " + folder / "run/resume.safetensors"), said);
  CHECK(saved_step(folder / "run") == 2);
}

TEST_CASE("files with NaN or infinities are refused by the tensor's name, or read if that is asked for") {
  const test::Folder folder;
  for (const float bad : {not_a_number, infinity, -infinity}) {
    Model<Net> model(1), other(2);
    for_each_leaf(
        [&](const Path& path, auto&, auto& leaf) {
          if (path.name() == "blocks.1.ffn.key.weight") leaf[3] = bad;
        },
        model.params.view());
    save(model, folder / "model");
    const auto before = other.params;
    CHECK(test::message<Error>([&] { load(other, folder / "model"); }) ==
          folder / "model" +
              ": blocks.1.ffn.key.weight: expected finite numbers, found NaN or an infinity at place 3; nothing was "
              "loaded: what wrote the file had gone wrong, take an earlier one, or load it with OnNonFinite::accept");
    CHECK(other.params == before);
    load(other, folder / "model", OnNonFinite::accept);
    const auto a = model.params.download(), b = other.params.download();
    CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);

    Model<Net, Cpu<bf16>> reduced;
    CHECK(says(test::message<Error>([&] { load(reduced, folder / "model"); }), "blocks.1.ffn.key.weight"));
    load(reduced, folder / "model", OnNonFinite::accept);
    save(reduced, folder / "reduced");
    CHECK(says(test::message<Error>([&] { load(other, folder / "reduced"); }), "found NaN or an infinity at place 3"));

    Trainer trainer(model, TrainConfig{}, Seq{2, 16});
    save_checkpoint(trainer, folder / "checkpoint");
    Trainer fresh(other, TrainConfig{}, Seq{2, 16});
    CHECK(says(test::message<Error>([&] { load_checkpoint(fresh, folder / "checkpoint"); }),
               "model.blocks.1.ffn.key.weight"));
    load_checkpoint(fresh, folder / "checkpoint", OnNonFinite::accept);
  }
}
