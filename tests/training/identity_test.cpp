#include <doctest/doctest.h>

#include "small_run.hpp"

using namespace rwkv;
using test::plan;
using test::Run;
using test::says;

namespace {
/// What a run that goes on with the one in `folder` is answered.
std::string answer(const std::string& folder, const Run& run, RunConfig config) {
  config.folder = folder, config.resume = true;
  return test::message<Error>([&] { run(config); });
}
}  // namespace

TEST_CASE("a run resumes only as the one that it was, and what differs is named with both values") {
  const test::Folder folder;
  const auto there = folder / "run";
  Run first;
  first.source = RandomWindows(test::text(), first.seq, 5);
  first.config.schedule.curve = Schedule::Curve::cosine, first.config.schedule.steps = 20;
  RunConfig config = plan(there, 4);
  config.metadata = {{"net", "a net"}, {"tokenizer", "bytes"}, {"vocabulary", std::string(70, 'v')}};
  config.settings = {{"size of the model", "small"}};
  config.words = {{"learning_rate", "--rate"}, {"curve_steps", "--steps"}};
  first(config);
  config.steps = 8;

  const auto with = [&](auto change) {
    Run run = first;
    RunConfig other = config;
    if constexpr (requires { change(run); })
      change(run);
    else
      change(other);
    return answer(there, run, other);
  };
  CHECK(with([](Run& r) { r.config.schedule.learning_rate = 1e-3; }) ==
        there +
            "/resume.safetensors: --rate: the run has 0.003, found 0.001; a run goes on with what it began with, or "
            "starts afresh in another folder");
  CHECK(says(with([](Run& r) { r.config.schedule.steps = 30; }), "--steps: the run has 20, found 30"));
  CHECK(says(with([](Run& r) { r.config.schedule.final_learning_rate = 2e-5; }),
             "final_learning_rate: the run has 1e-05, found 2e-05"));
  CHECK(says(with([](Run& r) { r.config.schedule.warmup = 21; }), "warmup: the run has 20, found 21"));
  CHECK(says(with([](Run& r) { r.config.schedule.curve = Schedule::Curve::exponential; }),
             "curve: the run has cosine, found exponential"));
  const auto constant = with([](Run& r) { r.config.schedule.curve = Schedule::Curve::constant; });
  CHECK(says(constant, "curve: the run has cosine, found constant"));
  CHECK(says(constant, "--steps: the run has 20, found nothing"));
  CHECK(says(with([](Run& r) { r.config.optimizer.decay = 0.2; }), "decay: the run has 0.1, found 0.2"));
  CHECK(says(with([](Run& r) { r.config.optimizer.beta2 = 0.999; }), "beta2: the run has 0.99, found 0.999"));
  CHECK(says(with([](Run& r) { r.config.clip = 0.5; }), "clip: the run has 1, found 0.5"));
  CHECK(says(with([](Run& r) { r.config.l2wrap = 1e-4; }), "l2wrap: the run has 0, found 0.0001"));
  CHECK(says(with([](Run& r) { r.config.accumulate = 2; }), "accumulate: the run has 1, found 2"));
  CHECK(says(with([](Run& r) { r.config.carry = false; }), "carry: the run has yes, found no"));
  CHECK(says(with([](Run& r) { r.config.seed = 3; }), "dropout_seed: the run has 0, found 3"));
  CHECK(says(with([](Run& r) { r.seq.time = 8, r.source = RandomWindows(test::text(), r.seq, 5); }),
             "context: the run has 16, found 8"));
  CHECK(says(with([](Run& r) { r.source = RandomWindows(test::text(), r.seq, 6); }), "seed: the run has 5, found 6"));
  CHECK(says(with([](Run& r) { r.source = ContiguousBatches(test::text(), r.seq); }),
             "batches: the run has random windows, found contiguous"));
  const auto text = with([](Run& r) { r.source = RandomWindows(test::text(7907), r.seq, 5); });
  CHECK(says(text, "text: the run has 4000 tokens, fingerprint "));
  CHECK(says(text, ", found 4000 tokens, fingerprint "));
  CHECK(
      says(with([](Run& r) { r.valid = test::text(7907); }), "validation_text: the run has 4000 tokens, fingerprint "));
  CHECK(says(with([](Run& r) { r.valid_seed = 1; }), "validation_seed: the run has 9, found 1"));
  CHECK(says(with([](RunConfig& c) { c.valid_batches = 3; }), "validation_length: the run has 2, found 3"));
  CHECK(says(with([](RunConfig& c) { c.metadata["net"] = "another"; }), "net: the run has a net, found another"));
  CHECK(says(with([](RunConfig& c) { c.metadata["tokenizer"] = "characters"; }),
             "tokenizer: the run has bytes, found characters"));
  CHECK(says(with([](RunConfig& c) { c.metadata["vocabulary"][3] = 'w'; }),
             "vocabulary: the run has another of 70 bytes, found another of 70 bytes"));
  CHECK(says(with([](RunConfig& c) { c.settings[0].second = "large"; }),
             "size of the model: the run has small, found large"));
  CHECK(says(with([](RunConfig& c) { c.settings.clear(); }), "size of the model: the run has small, found nothing"));
  CHECK(with([](RunConfig&) {}).empty());
}

TEST_CASE("steps and intervals may change when a run resumes, and other metadata") {
  const test::Folder folder;
  Run run;
  run(plan(folder / "run", 3));
  RunConfig other = plan(folder / "run", 9, true);
  other.valid_every = 2, other.save_every = 1, other.metadata["remark"] = "longer";
  CHECK(run(other).first_step == 3);
  run(plan(folder / "whole", 9));
  CHECK(test::read(folder / "run/model.safetensors").size() > 0);
  CHECK(detail::checkpoint_steps(SafetensorsFile(folder / "run/resume.safetensors")) == 9);
}

TEST_CASE("settings that one word of the program names are named once") {
  const Metadata saved{{"run.seed", "1"}, {"run.dropout_seed", "1"}};
  RunConfig run;
  run.words = {{"seed", "--seed"}, {"dropout_seed", "--seed"}};
  CHECK(detail::differences(saved, {{"seed", "2"}, {"dropout_seed", "2"}}, run) == "--seed: the run has 1, found 2");
}

TEST_CASE("a checkpoint that does not say what made it is taken, and that is said") {
  const test::Folder folder;
  Run run;
  run(plan(folder / "run", 3));
  Model<test::Net> model(1);
  Trainer trainer(model, run.config, run.seq);
  load_checkpoint(trainer, folder / "run/resume.safetensors");
  save_checkpoint(trainer, folder / "run/resume.safetensors");
  RunConfig more = plan(folder / "run", 5, true);
  std::string told;
  more.tell = [&](const std::string& what) { told += what; };
  CHECK(run(more).first_step == 3);
  CHECK(told == folder / "run/resume.safetensors: does not say what run made it; it is taken to be this one");
}

TEST_CASE("where a run resumes afresh nothing is compared") {
  const test::Folder folder;
  CHECK(Run{}(plan(folder / "run", 4, true)).first_step == 0);
}
