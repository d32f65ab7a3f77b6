#include "both_machines.hpp"

using namespace test;

TEST_CASE_TEMPLATE("training on the processor and on the GPU differs by rounding", Net, Rwkv, Gpt2) {
  Both<Net, double> exact;
  CHECK(farthest(exact.home.params.download(), exact.there.params.download()) == 0);
  CHECK(exact.train(0, 20) < 1e-10);
  CHECK(farthest(exact.home.params.download(), exact.there.params.download()) < 1e-9);
  CHECK(exact.at_home.gradient_norm() == doctest::Approx(exact.over_there.gradient_norm()).epsilon(1e-9));
  const RandomWindows unseen(text(), seq, 3);
  CHECK(exact.at_home.evaluate(unseen, 2) == doctest::Approx(exact.over_there.evaluate(unseen, 2)).epsilon(1e-10));
  Both<Net, float> usual;
  CHECK(usual.train(0, 20) < 1e-3);
}

TEST_CASE_TEMPLATE("a text goes on the same on both machines, past the end of a context", Net, Rwkv, Gpt2) {
  Both<Net, double> both;
  both.train(0, 10);
  Generator home(both.home, text().tokenizer(), SamplerConfig{.temperature = 0.5, .seed = 4});
  Generator there(both.there, text().tokenizer(), SamplerConfig{.temperature = 0.5, .seed = 4});
  const std::string prompt =
      "a prompt that is longer than a chunk of one or the other model, so that it is read in two.";
  CHECK(home(prompt, 40) == there(prompt, 40));
  CHECK(farthest(home.logits(), there.logits()) < 1e-5);
}
