#include <doctest/doctest.h>

#include <rwkv/models/v4.hpp>
#include <rwkv/text/contiguous_batches.hpp>
#include <rwkv/training/gpu/adamw.hpp>
#include <rwkv/training/trainer.hpp>

#include "host_grid.hpp"

using namespace rwkv;
using test::HostGrid;

TEST_CASE("training where kernels run in blocks differs by rounding") {
  using Net = v4::Model<256, 16, 2>;
  constexpr Seq seq{3, 40};
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  const TrainConfig config{
      .schedule = {.learning_rate = 3e-3}, .accumulate = 2, .l2wrap = official_l2wrap, .carry = true};
  Model<Net, Cpu<double>> home(7);
  Model<Net, HostGrid<double>> there(7);
  Trainer at_home(home, config, seq);
  Trainer over_there(there, config, seq);
  for (const auto& batch : ContiguousBatches(Corpus::of_text(words, Bytes()), seq).steps(0, 6))
    CHECK(at_home.step(batch) == doctest::Approx(over_there.step(batch)).epsilon(1e-10));
  CHECK(at_home.gradient_norm() == doctest::Approx(over_there.gradient_norm()).epsilon(1e-9));
}
