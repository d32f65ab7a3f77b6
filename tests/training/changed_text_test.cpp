#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "small_run.hpp"

using namespace rwkv;
using test::plan;
using test::Run;

TEST_CASE("a text that changes while it trains ends the run with its name and loses nothing") {
  const test::Folder folder;
  const std::string path = folder / "notes.txt";
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  const auto write = [&] { std::ofstream(path, std::ios::binary) << words; };
  write();
  const auto run_on = [&](const char* name, bool resume, dim_t cut_at) {
    const ContiguousBatches corpus(Corpus(path, Bytes()), {2, 16});
    const auto cut = [&path, cut_at](dim_t step) {
      if (step == cut_at) std::filesystem::resize_file(path, 10);
    };
    Run run;
    run.config.accumulate = 2;
    run.source = test::Watched<decltype(cut)>{corpus, cut};
    return run(plan(folder / name, 9, resume));
  };
  run_on("whole", false, -1);
  for (const dim_t cut_at : {14, 15}) {  // the first and the second batch of step 7
    CHECK_THROWS_WITH_AS(run_on("cut", false, cut_at),
                         doctest::Contains(("notes.txt: expected " + std::to_string(words.size()) + " bytes").c_str()),
                         Error);
    write();  // put back
    CHECK(run_on("cut", true, -1).first_step == 7);
    CHECK(test::read(folder / "whole/model.safetensors") == test::read(folder / "cut/model.safetensors"));
    CHECK(test::read(folder / "whole/resume.safetensors") == test::read(folder / "cut/resume.safetensors"));
    CHECK(test::curve(folder / "whole/log.csv") == test::curve(folder / "cut/log.csv"));
  }
}

TEST_CASE("a validation text that changes ends the run after the step it was asked for, which is saved") {
  const test::Folder folder;
  const std::string path = folder / "valid.txt";
  std::ofstream(path, std::ios::binary) << std::string(500, 'v');
  Run run;
  run.valid = Corpus(path, Bytes());
  const auto cut = [&path](dim_t step) {
    if (step == 1) std::filesystem::resize_file(path, 400);
  };
  run.source = test::Watched<decltype(cut)>{ContiguousBatches(test::text(), {2, 16}), cut};
  CHECK_THROWS_WITH_AS(run(plan(folder / "run", 9)), doctest::Contains("valid.txt: "), Error);
  CHECK(test::curve(folder / "run/log.csv").size() == 4);
  CHECK(detail::checkpoint_steps(SafetensorsFile(folder / "run/resume.safetensors")) == 3);
}

TEST_CASE("a batch that was read half is not what the saved checkpoint is tried with") {
  const test::Folder folder;
  struct Broken {
    ContiguousBatches inner;
    Seq seq() const { return inner.seq(); }
    Settings settings() const { return inner.settings(); }
    void fill(dim_t step, Minibatch& batch) const {
      inner.fill(step, batch);
      if (step < 5) return;
      batch.inputs.assign(3, 1 << 30);
      throw Error("the source broke");
    }
  };
  Run run;
  run.source = Broken{ContiguousBatches(test::text(), {2, 16})};
  CHECK_THROWS_WITH_AS(run(plan(folder / "run", 9)), "the source broke", Error);
  CHECK(detail::checkpoint_steps(SafetensorsFile(folder / "run/resume.safetensors")) == 5);
}
