// Trainers of ranks, beside one of a process alone.
#include "training.hpp"

#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/text/random_windows.hpp>
#include <rwkv/training/trainer.hpp>

using namespace rwkv;

namespace {

using Net = gpt2::study::Model<256, 8, 2, 2, 32>;  // which drops
constexpr Seq seq{4, 16};

RandomWindows source() {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  return RandomWindows(Corpus::of_text(words, Bytes()), seq, 5);
}

}  // namespace

void dropout(Mpi& mpi) {
  const RandomWindows windows = source();
  Model<Net> model(1), other(1);
  const TrainConfig config{.schedule = {.learning_rate = 1e-3}, .sharded = true};
  Trainer alone(model, config, seq);
  Trainer ranks(other, config, seq, mpi);
  for (dim_t i = 0; i < 10; ++i) {
    const double expected = alone.step(windows.at(i)), found = ranks.step(windows.at(i));
    if (!(std::abs(expected - found) < 1e-5))
      throw Error("step ", i, ": expected a loss of ", expected, " as alone, found ", found);
  }
  if (mpi.rank() == 0) std::printf("%d ranks drop what one drops\n", mpi.size());
}

void not_finite(Mpi& mpi) {
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, seq, mpi);
  trainer.accumulate(source().at(0));
  if (mpi.rank() == 1) trainer.gradient().data()[0] = std::nanf("");
  trainer.update();
}
