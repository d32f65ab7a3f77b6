#include <doctest/doctest.h>

#include <cstdio>
#include <memory>
#include <string>

#include <rwkv/training/progress.hpp>

using namespace rwkv;

namespace {
StepReport report(dim_t step) {
  StepReport r;
  r.step = step, r.steps = 500, r.loss = 2.03125, r.learning_rate = 6e-4, r.gradient_norm = 1.5,
  r.tokens_per_second = 19123;
  return r;
}
/// What is written to a file for these steps, of which every tenth is validated.
std::string written(std::chrono::milliseconds silence, dim_t first, dim_t last) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  REQUIRE(file != nullptr);
  {
    Progress progress(file.get(), silence);
    for (dim_t step = first; step <= last; ++step) {
      StepReport r = report(step);
      r.validated = step % 10 == 0;
      if (r.validated) r.valid = 2.25;
      progress.show(r);
    }
  }
  std::rewind(file.get());
  std::string all;
  for (int c; (c = std::fgetc(file.get())) != EOF;) all.push_back(char(c));
  return all;
}
}  // namespace

TEST_CASE("the progress line says it all, and that its loss is an average") {
  StepReport r = report(120);
  r.valid = 2.25;
  CHECK(Progress::line(r, 3725) ==
        "step 120/500  average loss 2.0312  valid 2.2500  lr 0.0006  norm 1.50  19.1k tokens/s  ETA 1:02:05");
}

TEST_CASE("a run whose output is no terminal has plain lines: at each validation, after a silence, at the end") {
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  const auto validations = written(std::chrono::hours(1), 1, 35);
  CHECK(lines(validations) == 3);
  CHECK(validations.starts_with("step 10/500  average loss 2.0312  valid 2.2500"));
  CHECK(validations.ends_with("\n"));
  CHECK(lines(written(std::chrono::hours(1), 491, 500)) == 1);
  CHECK(lines(written(std::chrono::milliseconds(0), 1, 35)) == 35);
  for (const char control : {'\r', '\x1b'})
    CHECK(written(std::chrono::milliseconds(0), 1, 35).find(control) == std::string::npos);
}
