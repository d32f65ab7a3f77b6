#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>

#include "small_run.hpp"

using namespace rwkv;
using test::plan;
using test::Run;
using test::says;
namespace fs = std::filesystem;

namespace {
/// The run, and what it told.
std::string told(const Run& run, RunConfig config) {
  std::string all;
  config.tell = [&](const std::string& what) { all += what + "\n"; };
  run(config);
  return all;
}
}  // namespace

TEST_CASE("a run that starts afresh keeps log, model and checkpoint of each one before it") {
  const test::Folder folder;
  const auto there = folder / "run";
  const auto all = [&](const std::string& number) {
    return test::read(there + "/log" + number + ".csv") + test::read(there + "/model" + number + ".safetensors") +
           test::read(there + "/resume" + number + ".safetensors");
  };
  CHECK(told({}, plan(there, 2)).empty());
  const auto first = all("");
  CHECK(told({}, plan(there, 3)) ==
        there + ": holds an earlier run, which was kept: log.1.csv, model.1.safetensors, resume.1.safetensors\n");
  const auto second = all("");
  fs::remove(there + "/model.safetensors");
  CHECK(told({}, plan(there, 4)) ==
        there + ": holds an earlier run, which was kept: log.2.csv, resume.2.safetensors\n");
  CHECK(all(".1") == first);
  CHECK(test::read(there + "/log.2.csv").size() < second.size());
  CHECK(says(second, test::read(there + "/log.2.csv")));
  CHECK(test::curve(there + "/log.2.csv").size() == 1 + 3);
  const auto third = all("");
  fs::remove(there + "/log.1.csv");  // the number is still taken by the others
  told({}, plan(there, 2));
  CHECK(all(".3") == third);
}

TEST_CASE("resuming where no checkpoint is keeps what is there, too") {
  const test::Folder folder;
  Run{}(plan(folder / "run", 2));
  fs::remove(folder / "run/resume.safetensors");
  const auto log = test::read(folder / "run/log.csv");
  CHECK(says(told({}, plan(folder / "run", 2, true)), "kept: log.1.csv, model.1.safetensors"));
  CHECK(test::read(folder / "run/log.1.csv") == log);
}

TEST_CASE("a run that was stopped and then forgotten is not resumed by mistake") {
  const test::Folder folder;
  Run{}(plan(folder / "run", 4));
  const auto failing = test::watched([](dim_t step) {
    if (step == 0) throw Error("as if killed");
  });
  CHECK_THROWS_AS(Run{.source = failing}(plan(folder / "run", 8)), Error);
  CHECK(Run{}(plan(folder / "run", 4, true)).first_step == 0);
}

TEST_CASE("two runs in one folder: the second is refused, and goes on when the first has ended") {
  const test::Folder folder;
  std::string said;
  const auto second = test::watched([&](dim_t step) {
    if (step == 2) said = test::message<Error>([&] { Run{}(plan(folder / "run", 2)); });
  });
  Run{.source = second}(plan(folder / "run", 4));
  CHECK(said == folder / "run" + ": another run is running in this folder; wait for it, or choose another folder");
  CHECK(test::curve(folder / "run/log.csv").size() == 5);
  CHECK(Run{}(plan(folder / "run", 6, true)).first_step == 4);
}

TEST_CASE("a text that the run would replace is refused, and no other") {
  const test::Folder folder;
  RunConfig run = plan(folder / "run", 2);
  fs::create_directories(run.folder);
  test::write(run.log(), "a text");
  test::write(folder / "run/book.txt", "a text");
  fs::create_symlink(run.log(), folder / "link.txt");
  CHECK(test::message<Error>([&] { expect_not_written(run, "--text", run.log()); }) ==
        "--text " + run.log() + ": is " + run.log() +
            ", which the run would replace; give the text another name, or choose another folder");
  CHECK(says(test::message<Error>([&] { expect_not_written(run, "--valid", folder / "link.txt"); }), run.log()));
  CHECK(says(test::message<Error>([&] { expect_not_written(run, "--valid", folder / "run/../run/log.csv"); }), "is "));
  expect_not_written(run, "--text", folder / "run/book.txt");
  expect_not_written(run, "--text", folder / "none.txt");
  expect_not_written(run, "--text", "");
}

TEST_CASE("a log that is missing or lacks lines does not stop a run from resuming, and is spoken of") {
  const test::Folder folder;
  const auto log = folder / "run/log.csv";
  const auto steps = [&](const char* name, dim_t number, bool resume = false) {
    RunConfig run = plan(folder / name, number, resume);
    run.valid_every = 2;
    return run;
  };
  Run{}(steps("whole", 8));
  const auto whole = test::curve(folder / "whole/log.csv");
  const auto resumed = [&](const std::string& content, bool missing = false) {
    fs::remove_all(folder / "run");
    Run{}(steps("run", 4));
    missing ? void(fs::remove(log)) : test::write(log, content);
    return told({}, steps("run", 8, true));
  };
  Run{}(steps("run", 4));
  const auto four = test::read(log);
  const auto line = [&](int number) {  // 0: the header
    std::size_t at = 0;
    for (int i = 0; i < number; ++i) at = four.find('\n', at) + 1;
    return four.substr(at, four.find('\n', at) + 1 - at);
  };

  CHECK(resumed("", true) == log + ": is missing and begins anew; the checkpoint, of step 4, is there\n");
  CHECK(test::curve(log).size() == 1 + 4);

  CHECK(resumed(four).empty());
  CHECK(test::curve(log) == whole);

  CHECK(resumed(line(0) + line(1)) == log + ": lacks 3 of the 4 steps before the checkpoint, from step 2 on\n");
  CHECK(test::curve(log)[1] == whole[1]);
  CHECK(test::curve(log)[2] == whole[5]);

  CHECK(resumed(four.substr(0, four.size() - 5)) ==
        log + ": lacks 1 of the 4 steps before the checkpoint, from step 4 on\n");
  CHECK(test::curve(log).size() == 1 + 7);

  CHECK(resumed(four + "5,1.5").empty());  // a line that a kill cut short is of a step that is made again
  CHECK(test::curve(log) == whole);

  CHECK(resumed(line(0) + line(2) + line(3) + line(4)) ==
        log + ": lacks 1 of the 4 steps before the checkpoint, from step 1 on\n");
  CHECK(resumed("") == log + ": lacks 4 of the 4 steps before the checkpoint, from step 1 on\n");

  const auto damaged = line(0) + line(1) + "2,torn\n" + line(3) + line(4);
  CHECK(resumed(damaged) == log + ": lines in it are damaged; it was kept: log.1.csv\n" + log +
                                ": lacks 1 of the 4 steps before the checkpoint, from step 2 on\n");
  CHECK(test::read(folder / "run/log.1.csv") == damaged);
  CHECK(test::curve(log).size() == 1 + 7);
  CHECK(says(resumed(four + line(2)), "lines in it are damaged"));  // a step twice
}

TEST_CASE("pipes under the names of a run's files are refused, and nothing waits for them") {
  const test::Folder folder;
  fs::create_directories(folder / "run");
  const auto unread = test::watched([](dim_t) { FAIL("a step was made"); });
  for (const char* name : {"log.csv", "model.safetensors", "resume.safetensors", "lock", "log.csv.partial",
                           "model.safetensors.partial", "resume.safetensors.partial"}) {
    CAPTURE(name);
    for (const bool resume : {false, true}) {
      fs::remove_all(folder / "run");
      fs::create_directories(folder / "run");
      REQUIRE(::mkfifo((folder / "run" + "/" + name).c_str(), 0600) == 0);
      const auto said = test::message<Error>([&] { Run{}(plan(folder / "run", 2, resume)); });
      CHECK_MESSAGE(says(said, name), said);
      if (std::string(name).ends_with(".partial")) continue;
      CHECK(test::message<Error>([&] { Run{.source = unread}(plan(folder / "run", 2, resume)); }) == said);
    }
  }
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(says(test::message<Error>([&] { Run{}(plan(folder / "pipe", 2)); }), folder / "pipe"));
}

TEST_CASE("a line of the log reads back as what was written") {
  StepReport r;
  r.step = 12, r.loss = 1.25, r.learning_rate = 6e-4, r.gradient_norm = 3.5, r.tokens_per_second = 12.25,
  r.seconds = 1.5;
  CHECK(log_line(r) == "12,1.25,,0.0006,3.5,12.2,1.500\n");
  r.validated = true, r.valid = 2.5;
  const auto line = log_line(r);
  CHECK(line == "12,1.25,2.5,0.0006,3.5,12.2,1.500\n");
  const auto back = parse_log_line(line.substr(0, line.size() - 1));
  REQUIRE(back);
  CHECK((back->step == 12 && back->loss == 1.25 && back->validated && back->valid == 2.5 && back->seconds == 1.5));
  for (const char* wrong : {"", "12", "12,1.25,2.5,0.0006,3.5,12.2", "12,1.25,2.5,0.0006,3.5,12.2,1.500,",
                            "12,1.25,2.5,0.0006,3.5,12.2,1.500 ", "0,1,,1,1,1,1", "-3,1,,1,1,1,1", "x,1,,1,1,1,1",
                            "12,,2.5,0.0006,3.5,12.2,1.5", "99999999999999999999,1,,1,1,1,1", "1,2,857,3,4,5,6,7"})
    CHECK_MESSAGE(!parse_log_line(wrong), wrong);
}
