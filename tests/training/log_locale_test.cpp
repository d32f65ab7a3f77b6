#include <rwkv/training/log.hpp>
#include <rwkv/training/progress.hpp>

#include "../core/decimal_comma.hpp"
#include "../io/folder.hpp"

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
  const test::Folder folder;
  const std::string path = folder / "log.csv";
  const test::DecimalComma comma;
  {
    Log log(path, 0);
    for (const dim_t step : {1, 2, 3}) log.write(report(step));
  }
  const std::string lines = "1,4.79797357,,2.857e-05,1.5,1234.6,1.250\n2,4.79797357,3.25,2.857e-05,1.5,1234.6,2.250\n";
  CHECK(test::read(path) == Log::header + lines + "3,4.79797357,,2.857e-05,1.5,1234.6,3.250\n");
  CHECK(Log(path, 2).seconds() == 2.25);
  CHECK(test::read(path) == Log::header + lines);
  CHECK(Progress::line(report(2), 3725) ==
        "step 2/9  loss 4.7980  valid 3.2500  lr 2.9e-05  norm 1.50  1235 tokens/s  ETA 1:02:05");
}
