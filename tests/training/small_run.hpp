#pragma once
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <rwkv/models/v4.hpp>
#include <rwkv/text/batches.hpp>
#include <rwkv/training/fit.hpp>

#include "../io/folder.hpp"

namespace test {

using Net = rwkv::v4::Model<256, 16, 2>;

inline rwkv::Corpus text(int seed = 7919) {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * seed % 1000) + " follows; ";
  words.resize(4000, '.');
  return rwkv::Corpus::of_text(words, rwkv::Bytes());
}
inline rwkv::RunConfig plan(const std::string& folder, rwkv::dim_t steps, bool resume = false) {
  rwkv::RunConfig run{.folder = folder, .steps = steps, .valid_every = 3, .valid_batches = 2, .save_every = 4};
  run.resume = resume;
  run.show = [](const rwkv::StepReport&) {};  // silent
  run.tell = [](const std::string&) {};
  return run;
}
inline rwkv::TrainConfig recipe() {
  return {.schedule = {.learning_rate = 3e-3}, .carry = true};
}

/// A source that does something when its step comes.
template <class F>
struct Watched {
  rwkv::ContiguousBatches inner;
  F f;
  rwkv::Seq seq() const { return inner.seq(); }
  rwkv::Settings settings() const { return inner.settings(); }
  void fill(rwkv::dim_t step, rwkv::Minibatch& batch) const {
    f(step);
    inner.fill(step, batch);
  }
};
template <class F>
auto watched(F f) {
  return Watched<F>{rwkv::ContiguousBatches(text(), {2, 16}), f};
}

/// A small run with all that belongs to one.
struct Run {
  rwkv::TrainConfig config = recipe();
  rwkv::Seq seq{2, 16};
  rwkv::Batches source = rwkv::ContiguousBatches(text(), seq);
  rwkv::Corpus valid = text();
  std::uint64_t weights = 1, valid_seed = 9;

  rwkv::Outcome operator()(const rwkv::RunConfig& run) const {
    rwkv::Model<Net> model(weights);
    rwkv::Trainer trainer(model, config, seq);
    return rwkv::fit(trainer, source, rwkv::RandomWindows(valid, seq, valid_seed), run);
  }
};

/// A line per step of a log: step, losses, rate and norm, without speeds and times.
inline std::vector<std::string> curve(const std::string& path) {
  std::istringstream log(read(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    std::size_t at = 0;
    for (int comma = 0; comma < 5; ++comma) at = line.find(',', at) + 1;
    lines.push_back(line.substr(0, at));
  }
  return lines;
}
inline bool says(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

}  // namespace test
