#include <barrier>
#include <functional>
#include <thread>

#include <rwkv/inference/generator.hpp>
#include <rwkv/io/load.hpp>
#include <rwkv/io/save.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/text/random_windows.hpp>
#include <rwkv/training/checkpoint.hpp>

#include "../io/folder.hpp"

using namespace rwkv;

namespace {

using Net = v4::Model<256, 32, 1>;  // large enough for the pool's threads

Corpus text() {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  return Corpus::of_text(words, Bytes());
}

/// What somebody did, to the bit: numbers and texts.
using Diary = std::string;

/// Trains a model of its own, saving as it goes.
Diary train(std::uint64_t seed, const Corpus& corpus, const test::Folder& folder) {
  const std::string name = folder / std::to_string(seed);
  Model<Net> model(seed);
  Trainer trainer(model, TrainConfig{}, Seq{.batch = 4, .time = 32});
  const RandomWindows windows(corpus, trainer.seq(), seed);
  Diary diary;
  Minibatch batch;
  for (dim_t step = 0; step < 4; ++step) {
    windows.fill(step, batch);
    diary += number_text(trainer.step(batch), 17) + " ";
    save_checkpoint(trainer, name + ".resume");
    load_checkpoint(trainer, name + ".resume");
  }
  save(model, name + ".model");
  return diary + test::read(name + ".model");
}

/// Writes with a model that others write with.
Diary write(std::uint64_t seed, const Model<Net>& model) {
  Generator generator(model, Bytes(), SamplerConfig{.temperature = 0.8, .seed = seed});
  return generator("number 1 follows; number 2 follows; number 3 follows; a prompt of more than sixty-four tokens", 40);
}

}  // namespace

TEST_CASE("trainers and generators side by side do what each does alone, to the bit") {
  const test::Folder folder;
  const Corpus corpus = text();
  const Model<Net> shared(9);
  const std::function<Diary()> tasks[] = {[&] { return train(1, corpus, folder); },
                                          [&] { return train(2, corpus, folder); }, [&] { return write(1, shared); },
                                          [&] { return write(2, shared); }};
  constexpr std::size_t many = std::size(tasks);
  set_threads(4);  // more than some machines have: the pool's threads must meet
  std::vector<Diary> alone(many), together(many);
  for (std::size_t i = 0; i < many; ++i) alone[i] = tasks[i]();
  for (const int threads : {4, 2, 1}) {
    set_threads(threads);
    std::barrier start(many);
    {
      std::vector<std::jthread> all;
      for (std::size_t i = 0; i < many; ++i)
        all.emplace_back([&, i] {
          start.arrive_and_wait();
          together[i] = tasks[i]();
        });
    }
    for (std::size_t i = 0; i < many; ++i) {
      INFO("task ", i, ", ", threads, " threads");
      CHECK(together[i] == alone[i]);
    }
  }
  CHECK(alone[0] != alone[1]);
  CHECK(alone[2] != alone[3]);
  set_threads(0);
}
