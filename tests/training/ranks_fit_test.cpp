#include <doctest/doctest.h>

#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include <rwkv/distributed/threads.hpp>

#include "small_run.hpp"

using namespace rwkv;
using test::plan;
using test::says;

namespace {

constexpr Seq seq{4, 16};

/// A run of several ranks, and what each ended with.
struct Ranks {
  int size;
  TrainConfig config = test::recipe();
  Batches source = ContiguousBatches(test::text(), seq);
  std::function<Corpus(int rank)> valid = [](int) { return test::text(); };

  struct Ends {
    std::vector<Outcome> outcomes;
    std::vector<std::string> errors;
  };
  Ends operator()(const RunConfig& run) const {
    Ends ends{std::vector<Outcome>(std::size_t(size)), std::vector<std::string>(std::size_t(size))};
    run_in_threads(size, [&](ThreadRank rank) {
      const auto at = std::size_t(rank.rank());
      Model<test::Net> model(1);
      const auto trainer = make_any_trainer(model, config, seq, AnyCommunicator(rank));
      ends.errors[at] = test::message<std::exception>(
          [&] { ends.outcomes[at] = fit(*trainer, source, RandomWindows(valid(rank.rank()), seq, 9), run); });
    });
    return ends;
  }
};

/// What two ranks end with that were given different runs.
std::vector<std::string> errors_of_two(const std::function<TrainConfig(int rank)>& config,
                                       const std::function<RunConfig(int rank)>& run) {
  std::vector<std::string> errors(2);
  run_in_threads(2, [&](ThreadRank rank) {
    Model<test::Net> model(1);
    const auto trainer = make_any_trainer(model, config(rank.rank()), seq, AnyCommunicator(rank));
    const Batches source = ContiguousBatches(test::text(), seq), valid = RandomWindows(test::text(), seq, 9);
    errors[std::size_t(rank.rank())] =
        test::message<std::exception>([&] { fit(*trainer, source, valid, run(rank.rank())); });
  });
  return errors;
}

/// No file may grow beyond so many bytes while it lives: a full disk.
struct FullDisk {
  rlimit before{};
  void (*handler)(int) = std::signal(SIGXFSZ, SIG_IGN);
  explicit FullDisk(rlim_t most) {
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{most, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
  }
};

/// In this rank of several alone.
template <class F>
auto in_rank(int rank, F f) {
  struct Source {
    ContiguousBatches inner;
    int rank;
    F f;
    Seq seq() const { return inner.seq(); }
    Settings settings() const { return inner.settings(); }
    void fill(dim_t step, Minibatch& batch) const { inner.fill(step, batch); }
    void fill(dim_t step, Minibatch& batch, dim_t first, dim_t rows) const {
      if (first == rank * rows) f(step);
      inner.fill(step, batch, first, rows);
    }
  };
  return Source{ContiguousBatches(test::text(), seq), rank, f};
}

/// Ranks whose connection is lost once, in the first sum after they are told so.
struct Losing : ThreadRank {
  std::shared_ptr<bool> lose;
  Losing(ThreadRank rank, std::shared_ptr<bool> when) : ThreadRank(rank), lose(std::move(when)) {}
  template <class B, class Travel = typename B::scalar>
  void sum(typename B::scalar* numbers, dim_t n) {
    if (std::exchange(*lose, false)) throw Error("the connection is lost");
    ThreadRank::sum<B, Travel>(numbers, n);
  }
};

dim_t saved_steps(const std::string& folder) {
  return detail::checkpoint_steps(SafetensorsFile(folder + "/resume.safetensors"));
}
/// How far the losses and validation losses of two logs are apart.
double apart(const std::string& a, const std::string& b) {
  const auto lines = test::curve(a), others = test::curve(b);
  REQUIRE(lines.size() == others.size());
  double most = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto one = parse_log_line(lines[i] + "0,0"), other = parse_log_line(others[i] + "0,0");
    REQUIRE((one && other && one->step == other->step));
    most = std::max(most, std::abs(one->loss - other->loss));
    if (one->validated && other->validated) most = std::max(most, std::abs(one->valid - other->valid));
  }
  return most;
}

}  // namespace

TEST_CASE("a run of two ranks goes on with one, and with four, as if one had made it") {
  const test::Folder folder;
  Ranks{1}(plan(folder / "alone", 15));
  TrainConfig sharded = test::recipe();
  sharded.sharded = true;
  Ranks{2, sharded}(plan(folder / "ranks", 5));
  CHECK(saved_steps(folder / "ranks") == 5);
  const auto one = Ranks{1}(plan(folder / "ranks", 10, true));
  CHECK(one.outcomes[0].first_step == 5);
  const auto four = Ranks{4, sharded}(plan(folder / "ranks", 15, true));
  for (const Outcome& end : four.outcomes) CHECK((end.first_step == 10 && end.last.step == 15));
  CHECK(apart(folder / "alone/log.csv", folder / "ranks/log.csv") < 1e-5);
  const SafetensorsFile alone(folder / "alone/resume.safetensors"), ranks(folder / "ranks/resume.safetensors");
  CHECK(alone.metadata().at("run.batch") == ranks.metadata().at("run.batch"));
  CHECK(alone.tensors().size() == ranks.tensors().size());
  CHECK(Ranks{2}(plan(folder / "ranks", 15, true)).outcomes[1].finished);
}

TEST_CASE("of several ranks one writes and shows, and a run repeats to the bit") {
  const test::Folder folder;
  for (const char* name : {"one", "two"}) {
    int shown = 0;
    RunConfig run = plan(folder / name, 6);
    run.show = [&](const StepReport&) { ++shown; };
    Ranks{2}(run);
    CHECK(shown == 6);
  }
  for (const char* file : {"/model.safetensors", "/resume.safetensors"})
    CHECK(test::read(folder / "one" + file) == test::read(folder / "two" + file));
  CHECK(std::ptrdiff_t(test::curve(folder / "one/log.csv").size()) == 7);
}

TEST_CASE("what one rank's text does ends all, after what is done is saved") {
  const test::Folder folder;
  for (const int failing : {0, 1}) {
    const std::string name = "run" + std::to_string(failing);
    const auto source = in_rank(failing, [](dim_t step) {
      if (step == 6) throw Error("text.txt: was cut");
    });
    const auto ends = Ranks{.size = 2, .source = source}(plan(folder / name, 20));
    for (const std::string& error : ends.errors)
      CHECK(error == "rank " + std::to_string(failing) + ": text.txt: was cut");
    CHECK(saved_steps(folder / name) == 6);
  }
  const auto all = test::watched([](dim_t step) {
    if (step == 6) throw Error("text.txt: was cut");
  });
  for (const std::string& error : Ranks{.size = 2, .source = all}(plan(folder / "all", 20)).errors)
    CHECK(error == "text.txt: was cut");
}

TEST_CASE("what the connection of ranks does is not taken for a text's fault: nothing more is asked of it") {
  const test::Folder folder;
  for (const bool validating : {false, true}) {
    const std::string name = folder / (validating ? "valid" : "source");
    std::string errors[2];
    run_in_threads(2, [&](ThreadRank rank) {
      const auto lose = std::make_shared<bool>(false);
      const auto losing = [lose](dim_t from) {
        return test::watched([lose, from](dim_t step) { *lose = *lose || step == from; });
      };
      Model<test::Net> model(1);
      const auto trainer = make_any_trainer(model, test::recipe(), {2, 16}, AnyCommunicator(Losing(rank, lose)));
      errors[rank.rank()] = test::message<std::exception>(
          [&] { fit(*trainer, losing(validating ? 99 : 2), Batches(losing(validating ? 1 : 99)), plan(name, 9)); });
    });
    for (const std::string& error : errors) CHECK(error == "the connection is lost");
    CHECK_FALSE(std::filesystem::exists(name + "/resume.safetensors"));
  }
}

TEST_CASE("a signal that one rank gets stops all at the same step, saved") {
  const test::Folder folder;
  const auto source = in_rank(1, [](dim_t step) {
    if (step == 5) std::raise(SIGTERM);
  });
  for (const Outcome& end : Ranks{.size = 4, .source = source}(plan(folder / "run", 50)).outcomes) {
    CHECK(end.interrupted);
    CHECK(end.last.step == 6);
  }
  CHECK(saved_steps(folder / "run") == 6);
}

TEST_CASE("ranks with other texts or settings are refused in all") {
  const test::Folder folder;
  const auto valid = [](int rank) { return test::text(rank == 1 ? 7907 : 7919); };
  const auto ends = Ranks{.size = 2, .valid = valid}(plan(folder / "run", 4));
  CHECK_MESSAGE(says(ends.errors[0], "validation_text: expected the same in all 2 ranks, "), ends.errors[0]);
  CHECK(ends.errors[0] == ends.errors[1]);
  CHECK_FALSE(std::filesystem::exists(folder / "run/log.csv"));
}

TEST_CASE("ranks that find other checkpoints are refused in all") {
  const test::Folder folder;
  for (const int steps : {4, 8}) Ranks{1}(plan(folder / std::to_string(steps), steps));
  const auto run = [&](int rank) { return plan(folder / (rank == 0 ? "4" : "8"), 12, true); };
  for (const std::string& error : errors_of_two([](int) { return test::recipe(); }, run))
    CHECK_MESSAGE((says(error, "\"step 4, loss ") && says(error, "found \"step 8, loss ")), error);
}

TEST_CASE("a setting that one rank alone has is named") {
  const test::Folder folder;
  for (const int other : {0, 1}) {
    const auto config = [&](int rank) {
      TrainConfig config = test::recipe();
      config.schedule.steps = 9;
      if (rank == other) config.schedule.curve = Schedule::Curve::cosine;
      return config;
    };
    for (const std::string& error : errors_of_two(config, [&](int) { return plan(folder / "run", 4); }))
      CHECK_MESSAGE(error.starts_with("curve: expected the same in all 2 ranks, "), error);
  }
  const auto reduced = [](int rank) {
    TrainConfig config = test::recipe();
    config.bf16_gradients = rank == 1;
    return config;
  };
  for (const std::string& error : errors_of_two(reduced, [&](int) { return plan(folder / "run", 4); }))
    CHECK_MESSAGE(error.starts_with("gradients: expected the same in all 2 ranks, \"nothing\""), error);
  const auto run = [&](int rank) {
    RunConfig run = plan(folder / "run", 4);
    if (rank == 1) run.settings = {{"start", "a file"}};
    return run;
  };
  for (const std::string& error : errors_of_two([](int) { return test::recipe(); }, run))
    CHECK_MESSAGE(says(error, "start: expected the same in all 2 ranks, \"nothing\" as in rank 0"), error);
}

TEST_CASE("a disk that is full for the rank that writes ends all, and the last checkpoint stays whole") {
  const test::Folder folder;
  TrainConfig sharded = test::recipe();
  sharded.sharded = true;
  Ranks{2, sharded}(plan(folder / "run", 4));
  const auto before = test::read(folder / "run/resume.safetensors");
  const auto size = [&](const char* name) { return rlim_t(std::filesystem::file_size(folder / "run" + name)); };
  for (const rlim_t most : {size("/model.safetensors") / 2, size("/resume.safetensors") / 2}) {
    const FullDisk full(most);
    for (const std::string& error : Ranks{2, sharded}(plan(folder / "run", 8, true)).errors)
      CHECK_MESSAGE((says(error, "rank 0: ") && says(error, "cannot write") && says(error, "File too large")), error);
    CHECK(test::read(folder / "run/resume.safetensors") == before);
  }
  for (const Outcome& end : Ranks{2, sharded}(plan(folder / "run", 8, true)).outcomes) CHECK(end.last.step == 8);
}
