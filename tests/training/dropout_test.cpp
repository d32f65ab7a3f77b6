#include <doctest/doctest.h>

#include <filesystem>

#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/text/batches.hpp>
#include <rwkv/training/checkpoint.hpp>

using namespace rwkv;

namespace {

using B = Cpu<float>;
using Net = gpt2::study::Model<256, 8, 2, 2, 32>;
using Still = gpt2::study::Model<256, 8, 2, 2, 32, 0>;
constexpr Seq seq{2, 20};

const Corpus text =
    Corpus::of_text(std::string(40, 'a') + "the quick brown fox jumps over the lazy dog again and again", Bytes());
const RandomWindows batches(text, seq, 5);

Minibatch batch(dim_t i) {
  Minibatch all;
  batches.fill(i, all);
  return all;
}
TrainConfig config(std::uint64_t seed, int accumulate = 1) {
  return {.schedule = {.learning_rate = 1e-2}, .accumulate = accumulate, .seed = seed};
}

/// Parameters after a few updates.
template <class Tried = Net>
std::vector<float> trained(std::uint64_t seed, dim_t from, dim_t to, const std::string& file = "", int threads = 1) {
  set_threads(threads);
  Model<Tried, B> model(3);
  Trainer trainer(model, config(seed, 2), seq);
  if (from > 0) load_checkpoint(trainer, file);
  for (dim_t i = from; i < to; ++i) trainer.step(batch(2 * i)), trainer.step(batch(2 * i + 1));
  if (!file.empty()) save_checkpoint(trainer, file);
  set_threads(0);
  return model.params.download();
}

}  // namespace

TEST_CASE("training with dropout is the same again, on any number of threads, resumed, and by no other seed") {
  const auto once = trained(1, 0, 4);
  CHECK(once == trained(1, 0, 4, "", 3));
  CHECK(once != trained(2, 0, 4));
  CHECK(once != trained<Still>(1, 0, 4));
  CHECK(trained<Still>(1, 0, 4) == trained<Still>(2, 0, 4));
  const auto file = (std::filesystem::temp_directory_path() / "rwkv-dropout.safetensors").string();
  trained(1, 0, 2, file);
  CHECK(once == trained(1, 2, 4, file));
  std::filesystem::remove(file);
}

TEST_CASE("every batch drops anew; validation drops nothing") {
  Model<Net, B> model(3);
  Model<Still, B> still(3);
  for (const Leaf& leaf : model.params.leaves())  // away from where dropout changes little
    for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i) still.params.data()[i] = model.params.data()[i] *= 10;
  Trainer trainer(model, config(1, 100), seq);
  Trainer without(still, config(1, 100), seq);
  const auto valid = [](auto& t) { return t.evaluate(batches, 3); };
  CHECK(valid(trainer) == valid(without));
  const double first = trainer.accumulate(batch(0)), second = trainer.accumulate(batch(0));
  CHECK(first != second);
  CHECK(first != without.accumulate(batch(0)));
  CHECK(valid(trainer) == valid(without));
}
