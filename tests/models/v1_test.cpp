#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <map>

#include <rwkv/inference/generator.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/models/v1.hpp>
#include <rwkv/training/trainer.hpp>

using namespace rwkv;

namespace {
template <dim_t Vocab, template <dim_t, dim_t> class Mode>
using Study = v1::Model<Vocab, 384, 12, 12, 384, 384, 256, activation::Silu, Mode>;
}  // namespace

// The notebook's count; the safe form does without its dead matrices.
static_assert(parameters<Study<56, v1::Parity>>() == 92378168);
static_assert(parameters<Study<56, v1::Safe>>() == 92378168 - 12 * (12 * 384 * 384 + 12 * 384));
static_assert(state_units<v1::TimeMix<10, 3, 5, 16, activation::Silu>>() == 5 + 3 * 16 * 5 + 15 + 1);

TEST_CASE("loss and gradients are PyTorch's, see golden/v1.py; nothing reaches the dead parameters") {
  std::ifstream file(RWKV_TESTS_DIR "/golden/v1.txt");
  REQUIRE(file);
  std::map<std::string, std::vector<double>> golden;
  for (std::string name; file >> name;) {
    std::size_t n = 0;
    file >> n;
    golden[name].resize(n);
    for (double& x : golden[name]) file >> x;
  }
  using B = Cpu<double>;
  using Net = v1::Model<7, 6, 2, 2, 3, 5, 8, activation::Silu, v1::Parity>;
  constexpr Seq seq{2, 6};
  Model<Net, B> model;
  for (const Leaf& leaf : model.params.leaves()) {
    REQUIRE_MESSAGE(dim_t(golden[leaf.name].size()) == leaf.size, leaf.name);
    std::copy(golden[leaf.name].begin(), golden[leaf.name].end(), model.params.data() + leaf.offset);
  }
  std::vector<std::int32_t> inputs, targets;
  for (std::size_t b = 0; b < 2; ++b)
    for (std::size_t t = 0; t < 6; ++t) {
      inputs.push_back(std::int32_t(golden["tokens"][b * 7 + t]));
      targets.push_back(std::int32_t(golden["tokens"][b * 7 + t + 1]));
    }
  Context<B> context;
  Owned<B, Net::Cache<B>> cache(seq);
  auto state = model.fresh_state(2), dstate = state;
  dstate.zero();
  Owned<B, Net::Params<B>> gradient;
  const TokenIds ids{inputs.data(), seq};
  const auto logits = Net::forward(context, model.params, ids, cache.view(), state.view());
  const double loss = cross_entropy_backward<B>(context.scratch, logits, {targets.data(), seq});
  CHECK(loss == doctest::Approx(golden["loss"][0]).epsilon(1e-11));
  Net::backward(context, model.params, cache.view(), logits, ids, gradient.view(), dstate.view());
  int dead = 0;
  for (const Leaf& leaf : gradient.leaves()) {
    std::vector<double>& expected = golden["d:" + leaf.name];
    if (expected.empty()) expected.resize(std::size_t(leaf.size)), ++dead;
    double worst = 0;
    for (dim_t i = 0; i < leaf.size; ++i)
      worst = std::max(worst, std::abs(gradient.data()[leaf.offset + i] - expected[std::size_t(i)]));
    CHECK_MESSAGE(worst < 1e-11, leaf.name);
  }
  CHECK(dead == 4);  // Receptance's weight and bias in both blocks' timemix
}

TEST_CASE("dead parameters stay as they start, whatever the decay") {
  using Net = v1::Model<7, 6, 1, 2, 3, 5, 8, activation::Silu, v1::Parity>;
  Model<Net> model(1);
  const auto before = model.params;
  Trainer trainer(model, TrainConfig{{.learning_rate = 0.1, .warmup = 0}, {.decay = 0.5}}, {1, 4});
  trainer.step({{1, 4}, {1, 2, 3, 4}, {2, 3, 4, 5}});
  for (const Leaf& leaf : model.params.leaves()) {
    bool same = true;
    for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i)
      same = same && model.params.data()[i] == before.data()[i];
    // alpha and the like of places that the batch does not reach would be the same too, but not as whole tensors
    CHECK_MESSAGE(same == (leaf.name.find("timemix.Receptance") != std::string::npos), leaf.name);
  }
}

TEST_CASE("initial values are those of PyTorch's layers and of the notebook") {
  const Model<v1::Model<32, 64, 2, 4, 16, 24, 16>> model(3);
  for (const Leaf& leaf : model.params.leaves()) {
    double squares = 0, largest = 0;
    for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i)
      squares += std::pow(model.params.data()[i], 2),
          largest = std::max(largest, double(std::abs(model.params.data()[i])));
    const double deviation = std::sqrt(squares / double(leaf.size));
    if (leaf.name == "embedding.weight") CHECK(deviation == doctest::Approx(1).epsilon(0.05));
    if (leaf.name == "blocks.1.timemix.Key.weight") CHECK(largest == doctest::Approx(1 / 8.0).epsilon(0.01));
    if (leaf.name == "blocks.1.timemix.Key.bias") CHECK((largest <= 1 / 8.0 && largest > 0.1));
    if (leaf.name == "blocks.1.channelmix.Weight.bias") CHECK((largest <= 1 / std::sqrt(24) && largest > 0.17));
    if (leaf.name != "blocks.0.timemix.time_w") continue;
    const float* w = model.params.data() + leaf.offset;
    CHECK(w[15] == 1);
    CHECK(w[13] == doctest::Approx(std::exp(-2 * std::pow(16, -1.0 / 3))));
    CHECK(w[16 + 0] == doctest::Approx(std::exp(-15 * std::pow(16, -2.0 / 3))));
    CHECK(w[3 * 16] == 1);  // the last head forgets nothing
  }
}

TEST_CASE("keys of any size: the safe form stays finite where the study's overflows") {
  const auto loss = []<class Net>(Net*, float key) {
    Model<Net> model(1);
    for (const Leaf& leaf : model.params.leaves())
      if (leaf.name == "blocks.0.timemix.Key.bias")
        for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i) model.params.data()[i] = key;
    Trainer trainer(model, {}, {1, 4});
    const Minibatch batch{{1, 4}, {1, 2, 3, 4}, {2, 3, 4, 5}};
    try {
      trainer.step(batch);
      return trainer.step(batch);
    } catch (const NotFinite&) {
      return std::nan("");
    }
  };
  v1::Model<7, 6, 1, 2, 3, 5, 8>* safe = nullptr;
  v1::Model<7, 6, 1, 2, 3, 5, 8, activation::Silu, v1::Parity>* parity = nullptr;
  for (const float key : {-1000.f, -200.f, 0.f, 200.f, 1000.f}) CHECK(std::isfinite(loss(safe, key)));
  CHECK(std::isfinite(loss(parity, 0)));
  CHECK(std::isnan(loss(parity, 200)));
  CHECK(std::isnan(loss(parity, -200)));
}

TEST_CASE("a full window is refused by the model, and begun anew by the generator") {
  using Net = v1::Model<256, 8, 1, 2, 4, 8, 16>;
  Model<Net> model(1);
  Context<Cpu<float>> context;
  const Seq seq{1, 9};
  Owned<Cpu<float>, Net::Cache<Cpu<float>>> cache(seq);
  auto state = model.fresh_state();
  const std::vector<std::int32_t> ids(9, 65);
  const auto read = [&] { Net::forward(context, model.params, {ids.data(), seq}, cache.view(), state.view()); };
  read();
  CHECK_THROWS_WITH_AS(read(),
                       "the context is full: the model has positions for 16 tokens, 9 were read, 9 more cannot be; "
                       "begin anew with a fresh state, use shorter sequences, or a model with more positions",
                       Error);
  Generator all(model, SamplerConfig{.temperature = 0}), part(model, SamplerConfig{.temperature = 0});
  all.prefill("abcdefghijklmnopqrstuvwxyz");
  part.prefill("qrstuvwxyz");  // what is left after the window was full: half of 16, then what followed
  for (std::size_t i = 0; i < all.logits().size(); ++i)
    CHECK(all.logits()[i] == doctest::Approx(part.logits()[i]).epsilon(1e-4));
  CHECK(all("", 100).size() == 100);
}
