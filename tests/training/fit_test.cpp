#include <doctest/doctest.h>

#include <sys/wait.h>

#include <csignal>
#include <filesystem>

#include "small_run.hpp"

using namespace rwkv;
using test::plan;
using test::Run;
namespace fs = std::filesystem;

TEST_CASE("a run that stops and resumes ends as one that never stopped, bit for bit") {
  const test::Folder folder;
  const auto whole = Run{}(plan(folder / "whole", 11));
  CHECK(whole.last.step == 11);
  const auto stopped = test::watched([](dim_t step) {
    if (step == 3) std::raise(SIGINT);
  });
  CHECK(Run{.source = stopped}(plan(folder / "parts", 11)).interrupted);
  const auto rest = Run{.weights = 77}(plan(folder / "parts", 11, true));  // another seed: all is in the file
  CHECK(rest.first_step == 4);
  CHECK(test::read(folder / "whole/model.safetensors") == test::read(folder / "parts/model.safetensors"));
  CHECK(test::read(folder / "whole/resume.safetensors") == test::read(folder / "parts/resume.safetensors"));
  CHECK(test::curve(folder / "whole/log.csv") == test::curve(folder / "parts/log.csv"));
  CHECK(test::curve(folder / "whole/log.csv").size() == 12);
}

namespace {
/// A child goes on with the run in `folder`, saving every step, and is killed a little after it has begun `begun` of
/// them: whether it was, and the step that the checkpoint is of.
std::pair<bool, dim_t> killed(const std::string& folder, dim_t steps, dim_t begun, useconds_t after) {
  int begins[2];
  REQUIRE(::pipe(begins) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    set_threads(1);  // threads do not survive a fork
    ::close(begins[0]);
    RunConfig run = plan(folder, steps, true);
    run.save_every = 1;
    const auto source = test::watched([&](dim_t) {
      const char one = 1;
      if (::write(begins[1], &one, 1) != 1) ::_exit(3);
    });
    try {
      Run{.source = source}(run);
    } catch (...) {
      ::_exit(3);
    }
    ::_exit(0);
  }
  ::close(begins[1]);
  char one = 0;
  while (begun > 0 && ::read(begins[0], &one, 1) == 1) --begun;
  ::usleep(after);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(begins[0]);
  CHECK((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
  return {WIFSIGNALED(status), detail::checkpoint_steps(SafetensorsFile(folder + "/resume.safetensors"))};
}
}  // namespace

TEST_CASE("kills at any moment leave a checkpoint that resumes bit for bit") {
  const test::Folder folder;
  constexpr dim_t steps = 300;
  Run{}(plan(folder / "whole", steps));
  const Random random{std::uint64_t(::getpid())};
  MESSAGE("seed " << random.seed);
  dim_t before = 0;
  for (std::uint64_t round = 0; round < 12; ++round) {
    const auto [was_killed, saved] = killed(folder / "killed", steps, 2 + dim_t(random.below(6, round)),
                                            useconds_t(random.below(4000, 1000 + round)));
    REQUIRE(was_killed);
    CHECK(saved > before);  // each has saved something that the next one goes on from
    before = saved;
  }
  CHECK(Run{}(plan(folder / "killed", steps, true)).first_step == before);
  CHECK(test::read(folder / "whole/model.safetensors") == test::read(folder / "killed/model.safetensors"));
  CHECK(test::read(folder / "whole/resume.safetensors") == test::read(folder / "killed/resume.safetensors"));
  CHECK(test::curve(folder / "whole/log.csv") == test::curve(folder / "killed/log.csv"));
}

TEST_CASE("resuming a finished run, or with fewer steps, changes nothing and says its last loss") {
  const test::Folder folder;
  const auto end = Run{}(plan(folder / "run", 6));
  const auto all = [&] {
    return test::read(folder / "run/log.csv") + test::read(folder / "run/model.safetensors") +
           test::read(folder / "run/resume.safetensors");
  };
  const auto before = all();
  for (const dim_t steps : {6, 5, 2}) {
    const auto again = Run{}(plan(folder / "run", steps, true));
    CHECK(again.finished);
    CHECK(again.first_step == 6);
    CHECK(again.last.step == 6);
    CHECK(again.last.loss == end.last.loss);
    CHECK(again.last.valid == end.last.valid);
  }
  CHECK(all() == before);
  CHECK_FALSE(Run{}(plan(folder / "run", 7, true)).finished);
}

TEST_CASE("a source that fails ends the run after what is done is saved") {
  const test::Folder folder;
  for (const int accumulate : {1, 3}) {
    const auto run = [&](const char* name, dim_t steps, bool resume = false) {
      RunConfig config = plan(folder / (name + std::to_string(accumulate)), steps, resume);
      config.save_every = 0;
      return config;
    };
    Run whole;
    whole.config.accumulate = accumulate;
    whole(run("whole", 7));
    Run cut = whole;
    cut.source = test::watched([&](dim_t step) {
      if (step == 5 * accumulate + (accumulate > 1)) throw Error("text.txt: was cut");
    });
    CHECK(test::message<Error>([&] { cut(run("cut", 7)); }) == "text.txt: was cut");
    CHECK(whole(run("cut", 7, true)).first_step == 5);
    const std::string number = std::to_string(accumulate);
    CHECK(test::read(folder / ("whole" + number + "/resume.safetensors")) ==
          test::read(folder / ("cut" + number + "/resume.safetensors")));
    CHECK(test::curve(folder / ("whole" + number + "/log.csv")) == test::curve(folder / ("cut" + number + "/log.csv")));
  }
}

TEST_CASE("a folder that cannot be made, a checkpoint that is none") {
  const test::Folder folder;
  test::write(folder / "file", "no folder");
  CHECK_THROWS_AS(Run{}(plan(folder / "file/run", 2)), Error);
  CHECK_THROWS_AS(Run{}(plan(folder / "file", 2)), Error);
  fs::create_directories(folder / "run");
  test::write(folder / "run/resume.safetensors", "damaged");
  CHECK_THROWS_AS(Run{}(plan(folder / "run", 2, true)), Error);
  Model<test::Net> model;
  save(model, folder / "model.safetensors");
  Trainer trainer(model, TrainConfig{}, Seq{2, 16});
  CHECK_THROWS_WITH_AS(
      load_checkpoint(trainer, folder / "model.safetensors"),
      (folder / "model.safetensors" +
       ": metadata \"steps\": expected a number, found nothing; this file is no checkpoint of a training run")
          .c_str(),
      Error);
}

TEST_CASE("a checkpoint of more steps than there are, or of fewer than none, is damaged") {
  const test::Folder folder;
  Model<test::Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{2, 16});
  for (const char* steps : {"9223372036854775807", "-1", "-9223372036854775808", "9223372036854775808",
                            "99999999999999999999999999", "1099511627777"}) {
    SafetensorsWriter writer;
    writer.metadata = {{"steps", steps}, {"checkpoint", checkpoint_version}};
    for (const auto& part : trainer.parts()) write_bundle(writer, part.name, part.own);
    writer.write(folder / "resume.safetensors");
    CHECK(test::message<Error>([&] { load_checkpoint(trainer, folder / "resume.safetensors"); }) ==
          folder / "resume.safetensors" + ": metadata \"steps\": expected a number from 0 to 1099511627776, found " +
              steps + "; the file is damaged, take an earlier checkpoint or start afresh");
  }
  CHECK(trainer.steps() == 0);
}
