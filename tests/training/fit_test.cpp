#include <doctest/doctest.h>

#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <rwkv/models/v4.hpp>
#include <rwkv/text/batches.hpp>
#include <rwkv/training/fit.hpp>

using namespace rwkv;
namespace fs = std::filesystem;

namespace {
using Net = v4::Model<256, 16, 2>;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "rwkv-fit-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string sub(const char* name) const { return (path / name).string(); }
};
std::string bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), path);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}
Corpus text() {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  return Corpus::of_text(words, Bytes());
}
RunConfig plan(const std::string& folder, dim_t steps, bool resume = false) {
  RunConfig run;
  run.folder = folder, run.steps = steps, run.valid_every = 3, run.valid_batches = 2, run.save_every = 4,
  run.resume = resume;
  run.settings = "seed 5";
  return run;
}
/// A source that does something when its step comes.
template <class F>
struct Watched {
  ContiguousBatches inner;
  F f;
  Seq seq() const { return inner.seq(); }
  void fill(dim_t step, Minibatch& batch) const {
    f(step);
    inner.fill(step, batch);
  }
};
template <class F>
Watched(ContiguousBatches, F) -> Watched<F>;
template <BatchSource Source = ContiguousBatches>
Outcome train(const RunConfig& run, const Source& source = ContiguousBatches(text(), {2, 16}), std::uint64_t seed = 1) {
  Model<Net> model(seed);
  Trainer trainer(model, TrainConfig{.schedule = {.learning_rate = 3e-3}, .carry = true}, source.seq());
  return fit(trainer, source, std::optional<Batches>(RandomWindows(text(), source.seq(), 9)), run);
}
/// Steps and losses of a log, without speeds and times.
std::vector<std::string> curve(const std::string& path) {
  std::istringstream log(bytes(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    std::size_t at = 0;
    for (int comma = 0; comma < 5; ++comma) at = line.find(',', at) + 1;
    lines.push_back(line.substr(0, at));
  }
  return lines;
}
}  // namespace

TEST_CASE("a run that stops and resumes ends as one that never stopped, bit for bit") {
  const Folder folder;
  const auto whole = train(plan(folder.sub("whole"), 11));
  CHECK(whole.last.step == 11);
  const Watched stopped{ContiguousBatches(text(), {2, 16}), [](dim_t step) {
                          if (step == 3) std::raise(SIGINT);
                        }};
  CHECK(train(plan(folder.sub("parts"), 11), stopped).interrupted);
  const auto rest = train(plan(folder.sub("parts"), 11, true), ContiguousBatches(text(), {2, 16}),
                          77);  // another seed: all is in the file
  CHECK(rest.first_step == 4);
  CHECK(bytes(folder.sub("whole/model.safetensors")) == bytes(folder.sub("parts/model.safetensors")));
  CHECK(bytes(folder.sub("whole/resume.safetensors")) == bytes(folder.sub("parts/resume.safetensors")));
  CHECK(curve(folder.sub("whole/log.csv")) == curve(folder.sub("parts/log.csv")));
  CHECK(curve(folder.sub("whole/log.csv")).size() == 12);
}

TEST_CASE("a kill at any moment leaves a checkpoint that resumes bit for bit") {
  const Folder folder;
  train(plan(folder.sub("whole"), 30));
  const Random random{std::uint64_t(::getpid())};
  MESSAGE("seed " << random.seed);
  for (int round = 0; round < 6; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      set_threads(1);  // threads do not survive a fork
      RunConfig run = plan(folder.sub("killed"), 30, true);
      run.save_every = 1;
      try {
        train(run);
      } catch (...) {
        ::_exit(3);
      }
      ::_exit(0);
    }
    ::usleep(useconds_t(2000 + random.below(60000, std::uint64_t(round))));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK_FALSE((WIFEXITED(status) && WEXITSTATUS(status) == 3));
  }
  train(plan(folder.sub("killed"), 30, true));
  CHECK(bytes(folder.sub("whole/model.safetensors")) == bytes(folder.sub("killed/model.safetensors")));
  CHECK(curve(folder.sub("whole/log.csv")) == curve(folder.sub("killed/log.csv")));
}

TEST_CASE("Ctrl-C finishes the step and saves") {
  const Folder folder;
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{2, 16});
  const Watched source{ContiguousBatches(text(), {2, 16}), [](dim_t step) {
                         if (step == 5) std::raise(SIGINT);
                       }};
  const auto end = fit(trainer, source, std::nullopt, plan(folder.sub("run"), 100));
  CHECK(end.interrupted);
  CHECK(end.last.step == 6);
  Model<Net> other(2);
  Trainer again(other, TrainConfig{}, Seq{2, 16});
  load_checkpoint(again, folder.sub("run/resume.safetensors"));
  CHECK(again.steps() == 6);
  CHECK(other.params == model.params);
}

TEST_CASE("a text that changes while it trains ends the run with its name and loses nothing") {
  const Folder folder;
  const std::string path = folder.sub("notes.txt"), words = [] {
    std::string all;
    for (int i = 0; i < 200; ++i) all += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
    return all;
  }();
  const auto write = [&] { std::ofstream(path, std::ios::binary) << words; };
  write();
  const auto run_on = [&](const char* name, bool resume, dim_t cut_at) {
    const Corpus corpus(path, Bytes());
    const Watched source{ContiguousBatches(corpus, {2, 16}), [&](dim_t step) {
                           if (step == cut_at) fs::resize_file(path, 10);
                         }};
    Model<Net> model(1);
    Trainer trainer(model, TrainConfig{.schedule = {.learning_rate = 3e-3}, .accumulate = 2, .carry = true}, {2, 16});
    return fit(trainer, source, std::nullopt, plan(folder.sub(name), 9, resume));
  };
  run_on("whole", false, -1);
  for (const dim_t cut_at : {14, 15}) {  // the first and the second batch of step 7
    CHECK_THROWS_WITH_AS(run_on("cut", false, cut_at),
                         doctest::Contains(("notes.txt: expected " + std::to_string(words.size()) + " bytes").c_str()),
                         Error);
    write();  // put back
    CHECK(run_on("cut", true, -1).first_step == 7);
    CHECK(bytes(folder.sub("whole/model.safetensors")) == bytes(folder.sub("cut/model.safetensors")));
    CHECK(bytes(folder.sub("whole/resume.safetensors")) == bytes(folder.sub("cut/resume.safetensors")));
    CHECK(curve(folder.sub("whole/log.csv")) == curve(folder.sub("cut/log.csv")));
  }
}

TEST_CASE("a validation text that changes ends the run after the step it was asked for, which is saved") {
  const Folder folder;
  const std::string path = folder.sub("valid.txt");
  std::ofstream(path, std::ios::binary) << std::string(500, 'v');
  const ContiguousBatches source(text(), {2, 16});
  const std::optional<Batches> valid = RandomWindows(Corpus(path, Bytes()), {2, 16});
  fs::resize_file(path, 400);
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, {2, 16});
  CHECK_THROWS_WITH_AS(fit(trainer, source, valid, plan(folder.sub("run"), 9)), doctest::Contains("valid.txt: "),
                       Error);
  Trainer again(model, TrainConfig{}, {2, 16});
  CHECK(fit(again, source, std::nullopt, plan(folder.sub("run"), 9, true)).first_step == 3);
  CHECK(curve(folder.sub("run/log.csv")).size() == 10);
}

TEST_CASE("starting afresh puts an old checkpoint aside, so that none but its own is resumed") {
  const Folder folder;
  train(plan(folder.sub("run"), 4));
  const auto old = bytes(folder.sub("run/resume.safetensors"));
  train(plan(folder.sub("run"), 8));
  CHECK(bytes(folder.sub("run/previous.safetensors")) == old);
  const Watched killed{ContiguousBatches(text(), {2, 16}), [](dim_t step) {
                         if (step == 0) throw Error("as if killed");
                       }};
  CHECK_THROWS_AS(train(plan(folder.sub("run"), 8), killed), Error);
  CHECK(train(plan(folder.sub("run"), 4, true)).first_step == 0);
}

TEST_CASE("resuming where there is nothing starts afresh; with other settings it is refused") {
  const Folder folder;
  const auto first = train(plan(folder.sub("run"), 4, true));
  CHECK(first.first_step == 0);
  RunConfig other = plan(folder.sub("run"), 8, true);
  other.settings = "seed 6";
  CHECK_THROWS_WITH_AS(
      train(other),
      (folder.sub("run/resume.safetensors") +
       ": expected a run with seed 6, found seed 5; resume with the same settings, or start afresh in another folder")
          .c_str(),
      Error);
}

TEST_CASE("a loss that is no number names the step, the tensor and the checkpoint") {
  const Folder folder;
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{2, 16});
  const Watched source{ContiguousBatches(text(), {2, 16}), [&](dim_t step) {
                         if (step == 6) model.params.data()['n' * 16] = std::nanf("");
                       }};
  try {
    fit(trainer, source, std::nullopt, plan(folder.sub("run"), 100));
    FAIL("expected an error");
  } catch (const Error& error) {
    const std::string what = error.what();
    for (const std::string& word :
         {std::string("step 6"), std::string("emb.weight"), folder.sub("run/resume.safetensors")})
      CHECK_MESSAGE(what.find(word) != std::string::npos, what);
  }
}

TEST_CASE("a folder that cannot be made, a checkpoint that is none") {
  const Folder folder;
  std::ofstream(folder.sub("file")) << "no folder";
  CHECK_THROWS_AS(train(plan(folder.sub("file/run"), 2)), Error);
  fs::create_directories(folder.sub("run"));
  std::ofstream(folder.sub("run/resume.safetensors")) << "damaged";
  CHECK_THROWS_AS(train(plan(folder.sub("run"), 2, true)), Error);
  Model<Net> model;
  save(model, folder.sub("model.safetensors"));
  Trainer trainer(model, TrainConfig{}, Seq{2, 16});
  CHECK_THROWS_WITH_AS(
      load_checkpoint(trainer, folder.sub("model.safetensors")),
      (folder.sub("model.safetensors") +
       ": metadata \"steps\": expected a number, found nothing; this file is no checkpoint of a training run")
          .c_str(),
      Error);
}

TEST_CASE("the progress line says it all") {
  StepReport r;
  r.step = 120, r.steps = 500, r.loss = 2.03125, r.valid = 2.25, r.learning_rate = 6e-4, r.gradient_norm = 1.5,
  r.tokens_per_second = 19123;
  CHECK(Progress::line(r, 3725) ==
        "step 120/500  loss 2.0312  valid 2.2500  lr 0.0006  norm 1.50  19.1k tokens/s  ETA 1:02:05");
}
