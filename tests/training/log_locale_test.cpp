#include <rwkv/training/log_line.hpp>
#include <rwkv/training/progress.hpp>

#include "../core/decimal_comma.hpp"

using namespace rwkv;

namespace {
StepReport report(dim_t step) {
  StepReport r;
  r.step = step, r.steps = 9, r.loss = 4.79797357, r.learning_rate = 2.857e-05, r.gradient_norm = 1.5;
  r.tokens_per_second = 1234.56, r.seconds = double(step) + 0.25;
  if (step == 2) r.validated = true, r.valid = 3.25;
  return r;
}
}  // namespace

TEST_CASE("log.csv and the line of progress have decimal points in a locale of decimal commas") {
  const test::DecimalComma comma;
  CHECK(log_line(report(1)) == "1,4.79797357,,2.857e-05,1.5,1234.6,1.250\n");
  CHECK(log_line(report(2)) == "2,4.79797357,3.25,2.857e-05,1.5,1234.6,2.250\n");
  const auto read = parse_log_line("2,4.79797357,3.25,2.857e-05,1.5,1234.6,2.250");
  REQUIRE(read.has_value());
  CHECK(read->loss == 4.79797357);
  CHECK(read->seconds == 2.25);
  CHECK(Progress::line(report(2), 3725).find("loss 4.7980  valid 3.2500  lr 2.9e-05  norm 1.50") != std::string::npos);
}
