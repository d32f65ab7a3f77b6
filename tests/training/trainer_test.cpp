#include <doctest/doctest.h>

#include <cmath>

#include <rwkv/models/v4.hpp>
#include <rwkv/text/batches.hpp>
#include <rwkv/training/trainer.hpp>

using namespace rwkv;

namespace {
using Net = v4::Model<256, 16, 2>;
using B = Cpu<float>;

Corpus text() {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  return Corpus::of_text(words, Bytes());
}
Minibatch part(const Minibatch& whole, dim_t first, dim_t count) {
  const auto cut = [&](const std::vector<std::int32_t>& ids) {
    const auto from = ids.begin() + first * whole.seq.time;
    return std::vector<std::int32_t>(from, from + count * whole.seq.time);
  };
  return {{count, whole.seq.time}, cut(whole.inputs), cut(whole.targets), false};
}
}  // namespace

TEST_CASE("training lowers the loss, and the same run gives the same bits") {
  std::vector<double> losses[2];
  for (auto& run : losses) {
    Model<Net> model(1);
    Trainer trainer(model, TrainConfig{.schedule = {.learning_rate = 3e-3}}, Seq{4, 16});
    for (const auto& batch : RandomWindows(text(), trainer.seq(), 5).first(150)) run.push_back(trainer.step(batch));
  }
  CHECK(losses[0].front() > 5);
  CHECK(losses[0].back() < 2.5);
  CHECK(losses[0] == losses[1]);
}

TEST_CASE("accumulated batches are one large batch") {
  Model<Net> a(1), b(1);
  Trainer whole(a, TrainConfig{}, Seq{4, 16}), halves(b, TrainConfig{.accumulate = 2}, Seq{2, 16});
  const RandomWindows windows(text(), {4, 16}, 5);
  for (dim_t s = 0; s < 3; ++s) {
    const auto batch = windows.at(s);
    const double loss = whole.step(batch);
    const double first = halves.step(part(batch, 0, 2)), second = halves.step(part(batch, 2, 2));
    CHECK((first + second) / 2 == doctest::Approx(loss).epsilon(1e-5));
    CHECK(halves.steps() == s + 1);
    CHECK(halves.gradient_norm() == doctest::Approx(whole.gradient_norm()).epsilon(1e-4));
  }
}

TEST_CASE("one step of AdamW is the textbook's") {
  Model<Net> model(1);
  const auto before = model.params;
  Trainer trainer(
      model, TrainConfig{.schedule = {.learning_rate = 1e-2, .warmup = 0}, .optimizer = {.decay = 0.5}, .clip = 0.25},
      Seq{2, 8});
  const auto batch = RandomWindows(text(), {2, 8}, 1).at(0);
  trainer.accumulate(batch);
  const auto gradient = trainer.gradient();
  double squares = 0;
  for (const float g : gradient.download()) squares += double(g) * g;
  trainer.update();
  CHECK(trainer.gradient_norm() == doctest::Approx(std::sqrt(squares)).epsilon(1e-5));
  const double scale = std::min(1.0, 0.25 / std::sqrt(squares));
  int decayed = 0, faster = 0;
  for_each_leaf(
      [&](const Path& path, const Field& field, const auto& was, const auto& g, const auto& now) {
        const bool matrix = path.name().ends_with(".weight") && path.name().find("ln") == std::string::npos;
        CHECK(field.decays == matrix);
        const double rate = 1e-2 * (path.name().ends_with("time_decay")   ? 2
                                    : path.name().ends_with("time_first") ? 3
                                                                          : 1);
        decayed += matrix, faster += rate > 0.015;
        for (dim_t i = 0; i < was.size(); i += 1 + was.size() / 7) {
          const double d = g[i] * scale;  // first step: m / (1 - beta1) = d, v / (1 - beta2) = d^2
          const double expected = was[i] - rate * (d / (std::abs(d) + 1e-8) + (matrix ? 0.5 * was[i] : 0));
          CHECK(std::abs(now[i] - expected) <= 2e-6 + 1e-3 * rate);
        }
      },
      before.view(), gradient.view(), model.params.view());
  CHECK(decayed == 2 + 2 * 7);
  CHECK(faster == 4);
  for (const float g : trainer.gradient().download()) CHECK(g == 0);
}

TEST_CASE("a state carried over batches is one long context") {
  Model<Net> model(1);
  const Corpus corpus = text().slice(0, 33);
  Trainer carried(model, TrainConfig{.carry = true}, Seq{1, 8}), whole(model, TrainConfig{}, Seq{1, 32}),
      cut(model, TrainConfig{}, Seq{1, 8});
  for (int i = 0; i < 30; ++i) whole.step(RandomWindows(text(), {1, 32}, 3).at(i));  // until what came before matters
  const double long_loss = whole.evaluate(ContiguousBatches(corpus, {1, 32}), 1);
  CHECK(carried.evaluate(ContiguousBatches(corpus, {1, 8}), 4) == doctest::Approx(long_loss).epsilon(1e-5));
  CHECK(std::abs(cut.evaluate(ContiguousBatches(corpus, {1, 8}), 4) - long_loss) > 1e-3);
  double sum = 0;
  for (dim_t s = 0; s < 4; ++s) sum += carried.accumulate(ContiguousBatches(corpus, {1, 8}).at(s)) / 4;
  CHECK(sum == doctest::Approx(long_loss).epsilon(1e-5));
}

TEST_CASE("what is no number stops the run, names step and tensor, and moves nothing") {
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{2, 8});
  const RandomWindows windows(text(), {2, 8}, 1);
  trainer.step(windows.at(0));
  for_each_leaf(
      [](const Path& path, auto&, auto& leaf) {
        if (path.name() == "blocks.1.ffn.key.weight") leaf[3] = std::nanf("");
      },
      model.params.view());
  const auto before = model.params.download();
  try {
    trainer.step(windows.at(1));
    FAIL("expected NotFinite");
  } catch (const NotFinite& error) {
    CHECK(error.step == 1);
    const std::string what = error.what();
    CHECK(what.find("step 1") != std::string::npos);
    CHECK(what.find("blocks.1.ffn.key.weight") != std::string::npos);
    CHECK(what.find("lower learning rate") != std::string::npos);
  }
  const auto after = model.params.download();
  CHECK(std::memcmp(before.data(), after.data(), before.size() * sizeof(float)) == 0);
  CHECK(trainer.steps() == 1);
}

TEST_CASE("batches that do not fit are refused in plain words") {
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{2, 8});
  CHECK_THROWS_WITH(
      trainer.step(RandomWindows(text(), {2, 9}, 1).at(0)),
      "minibatch: expected 2 x 8 tokens, found 2 x 9; give the batch source and the trainer the same Seq");
  auto batch = RandomWindows(text(), {2, 8}, 1).at(0);
  batch.targets[5] = 256;
  CHECK_THROWS_WITH_AS(
      trainer.step(batch),
      "minibatch: token 256 is outside the model's vocabulary of 256; use the tokenizer that the model "
      "was made for",
      Error);
}

TEST_CASE("a batch with fewer or more tokens than its sizes say is refused") {
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{2, 8});
  const auto good = RandomWindows(text(), {2, 8}, 1).at(0);
  const auto refuse = [&](auto change, const char* found) {
    auto batch = good;
    change(batch);
    const std::string words =
        std::string("minibatch: expected 16 inputs and as many targets, which is its size of 2 x 8, found ") + found;
    CHECK_THROWS_WITH_AS(trainer.step(batch), words.c_str(), Error);
  };
  refuse([](Minibatch& b) { b.inputs.clear(); }, "0 and 16");
  refuse([](Minibatch& b) { b.targets.pop_back(); }, "16 and 15");
  refuse([](Minibatch& b) { b.inputs.push_back(0); }, "17 and 16");
  CHECK(trainer.step(good) > 0);
}

TEST_CASE("a trainer refuses sizes that are none, that cannot be counted, and that no machine has") {
  Model<Net> model(1);
  const auto make = [&](Seq seq) { Trainer(model, TrainConfig{}, seq); };
  for (const Seq none : {Seq{2, -4}, Seq{0, 8}, Seq{2, 0}, Seq{-2, -4}})
    CHECK_THROWS_WITH_AS(make(none), doctest::Contains("Seq: expected a batch and a time of at least 1, found batch "),
                         Error);
  constexpr dim_t most = std::numeric_limits<dim_t>::max();
  for (const Seq huge : {Seq{1, dim_t{1} << 62}, Seq{dim_t{1} << 62, 1}, Seq{most, most}, Seq{1, most},
                         Seq{dim_t{1} << 32, dim_t{1} << 32}})
    CHECK_THROWS_WITH_AS(
        make(huge),
        doctest::Contains("Seq: expected a batch and a context (time) whose memory 64 bits can count, found "), Error);
  CHECK_THROWS_WITH_AS(
      make({1, dim_t{1} << 45}),
      doctest::Contains("; there is no room for the activations of one sequence of 35184372088832 tokens: "
                        "shorten the context (time)"),
      OutOfMemory);
  CHECK_THROWS_WITH_AS(make({dim_t{1} << 45, 1}),
                       doctest::Contains("; of sequences of 1 tokens there is room for the activations of "),
                       OutOfMemory);
}

TEST_CASE("a state of another batch is refused in plain words") {
  Model<Net> model(1);
  Trainer trainer(model, TrainConfig{}, Seq{4, 16});
  trainer.state() = Model<Net>::fresh_state(2);
  CHECK_THROWS_WITH_AS(trainer.step(RandomWindows(text(), {4, 16}).at(0)),
                       "Trainer: expected a state of 4 sequences, found one of 2; make it with fresh_state(4)", Error);
}

TEST_CASE("schedules rise, then follow their curve") {
  const Schedule constant{.learning_rate = 1, .warmup = 4};
  CHECK(constant(0) == doctest::Approx(0.2));
  CHECK(constant(4) == doctest::Approx(1));
  CHECK(constant(1000000) == doctest::Approx(1));
  const Schedule cosine{
      .learning_rate = 1, .final_learning_rate = 0.1, .warmup = 10, .steps = 110, .curve = Schedule::Curve::cosine};
  CHECK(cosine(10) == doctest::Approx(1));
  CHECK(cosine(60) == doctest::Approx(0.55));
  CHECK(cosine(110) == doctest::Approx(0.1));
  CHECK(cosine(500) == doctest::Approx(0.1));
  const Schedule exponential{.learning_rate = 1,
                             .final_learning_rate = 0.01,
                             .warmup = 0,
                             .steps = 100,
                             .curve = Schedule::Curve::exponential};
  CHECK(exponential(50) == doctest::Approx(0.1));
  CHECK(exponential(100) == doctest::Approx(0.01));
}

namespace {
/// A machine with room for half a million scalars at a time.
template <class T>
struct Small : Cpu<T> {
  static constexpr dim_t room = 500000;
  static T* allocate(dim_t n) {
    if (n > room) throw OutOfMemory(sizeof(T) * std::size_t(n), sizeof(T) * std::size_t(room), "Small: no room");
    return Cpu<T>::allocate(n);
  }
};
}  // namespace

TEST_CASE("memory that does not suffice says which batch would") {
  Model<Net, Small<float>> model(1);
  const auto units = [](dim_t batch) { return cache_units<Net>({batch, 32}); };
  dim_t most = 1;
  while (units(most + 1) <= Small<float>::room) ++most;
  REQUIRE(most > 1);
  const std::string words =
      "Small: no room; of sequences of 32 tokens there is room for the activations of " + std::to_string(most);
  CHECK_THROWS_WITH_AS(Trainer(model, TrainConfig{}, Seq{most * 3, 32}), words.c_str(), OutOfMemory);
}
