#include <doctest/doctest.h>

#include <unistd.h>
#include <cmath>
#include <filesystem>

#include <rwkv/inference/generator.hpp>
#include <rwkv/io/load.hpp>
#include <rwkv/io/save.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/text/batches.hpp>
#include <rwkv/training/checkpoint.hpp>

#ifdef THRUST_DEVICE_SYSTEM  // compiled for rwkv::gpu
#include <rwkv/gpu.hpp>
template <class T>
using Machine = rwkv::Gpu<T>;
#else
template <class T>
using Machine = rwkv::Cpu<T>;
#endif

using namespace rwkv;

namespace {
using B = Machine<bf16>;
using Net = v4::Model<256, 32, 2>;
using Gpt2 = gpt2::Model<256, 32, 2, 2, 256>;
constexpr Seq seq{4, 32};

Corpus text() {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "number " + std::to_string(i * 7919 % 1000) + " follows; ";
  return Corpus::of_text(words, Bytes());
}
/// A file of its own, gone when the test ends.
struct File {
  std::string path = (std::filesystem::temp_directory_path() / "rwkv-bf16.XXXXXX").string();
  File() {
    const int made = ::mkstemp(path.data());
    REQUIRE(made >= 0);
    ::close(made);
  }
  ~File() { std::filesystem::remove(path); }
};
template <class Net, class B>
std::vector<std::uint32_t> bits(const Model<Net, B>& model) {
  std::vector<std::uint32_t> all;
  for (const float x : model.params.download()) all.push_back(std::bit_cast<std::uint32_t>(x));
  return all;
}
const TrainConfig config{.schedule = {.learning_rate = 3e-3}, .carry = true};
}  // namespace

TEST_CASE_TEMPLATE("training in bf16 follows training in float within 1 %" * doctest::test_suite("accuracy"), N, Net,
                   Gpt2) {
  const TrainConfig slow{
      .schedule = {.learning_rate = 1e-3}};  // at 3e-3 GPT-2 in float leaves its path for a nudge of 1e-5
  Model<N, B> model(1);
  Model<N> reference(1);
  Trainer trainer(model, slow, seq);
  Trainer in_float(reference, slow, seq);
  double sum = 0, expected = 0;
  for (const auto& batch : RandomWindows(text(), seq, 5).first(200)) {
    sum += trainer.step(batch), expected += in_float.step(batch);
    if (trainer.steps() % 20 > 0) continue;
    CHECK(sum == doctest::Approx(expected).epsilon(0.01));  // of 20 steps
    if (trainer.steps() == 20) CHECK(expected / 20 > 3);
    if (trainer.steps() == 200) CHECK(expected / 20 < 2);
    sum = expected = 0;
  }
}

TEST_CASE_TEMPLATE("a resumed run in bf16 goes on bit for bit, and its checkpoint is one of float", N, Net, Gpt2) {
  const File file;
  const ContiguousBatches source(text(), seq);
  Model<N, B> whole(1);
  Trainer one(whole, config, seq);
  for (dim_t i = 0; i < 5; ++i) one.step(source.at(i));
  save_checkpoint(one, file.path);
  for (dim_t i = 5; i < 8; ++i) one.step(source.at(i));

  Model<N, B> resumed(2);
  Trainer other(resumed, config, seq);
  load_checkpoint(other, file.path);
  for (dim_t i = 5; i < 8; ++i) CHECK(std::isfinite(other.step(source.at(i))));
  CHECK(bits(resumed) == bits(whole));

  Model<N> in_float(3);
  Trainer wide(in_float, config, seq);
  load_checkpoint(wide, file.path);
  const File again;
  save_checkpoint(wide, again.path);
  Model<N, B> back(4);
  Trainer third(back, config, seq);
  load_checkpoint(third, again.path);
  for (dim_t i = 5; i < 8; ++i) third.step(source.at(i));
  CHECK(bits(back) == bits(whole));
}

TEST_CASE("a model saved in bf16 is read in float and back, bit for bit; float is rounded") {
  const File file, wide;
  Model<Net, B> model(1);
  save(model, file.path);
  CHECK(SafetensorsFile(file.path).tensors()[0].dtype == Dtype::bf16);
  Model<Net> in_float(2);
  load(in_float, file.path);
  CHECK(bits(in_float) == bits(model));
  save(in_float, wide.path);
  Model<Net, B> back(3);
  load(back, wide.path);
  CHECK(bits(back) == bits(model));

  const Model<Net> exact(1);
  save(exact, wide.path);
  load(back, wide.path);
  CHECK(bits(back) == bits(model));  // as if it had begun in bf16
  CHECK(bits(back) != bits(exact));
}

TEST_CASE("steps smaller than a rounding add up" * doctest::test_suite("accuracy")) {
  Model<Net, B> model(1);
  const TrainConfig small{.schedule = {.learning_rate = 1e-4, .warmup = 0}, .optimizer = {.decay = 0}};
  Trainer trainer(model, small, seq);
  const auto batch = RandomWindows(text(), seq, 5).at(0);
  const auto before = model.params.download();
  const auto weight = [&] {  // of ln_out: ones, that are 2^-8 above what lies below them
    for (const Leaf& leaf : model.params.leaves())
      if (leaf.name == "ln_out.weight") return std::pair(leaf.offset, leaf.size);
    return std::pair(dim_t(0), dim_t(0));
  }();
  REQUIRE(weight.second == 32);
  const auto moved = [&] {
    const auto now = model.params.download();
    int n = 0;
    for (dim_t i = weight.first; i < weight.first + weight.second; ++i)
      n += now[std::size_t(i)] != before[std::size_t(i)];
    return n;
  };
  for (int i = 0; i < 5; ++i) trainer.step(batch);
  CHECK(moved() == 0);  // 5e-4
  for (int i = 0; i < 95; ++i) trainer.step(batch);
  CHECK(moved() > 16);  // 1e-2
}

TEST_CASE("parameters that are changed between steps are what training goes on from") {
  const File file;
  Model<Net, B> other(7);
  save(other, file.path);
  Model<Net, B> model(1);
  const TrainConfig still{.schedule = {.learning_rate = 0}};
  Trainer trainer(model, still, seq);
  const auto batch = RandomWindows(text(), seq, 5).at(0);
  trainer.step(batch);
  load(model, file.path);
  trainer.step(batch);
  CHECK(bits(model) == bits(other));
}

TEST_CASE_TEMPLATE("a model in bf16 writes, and reads a text at once as token by token", N, Net, Gpt2) {
  Model<N, B> model(1);
  Trainer trainer(model, config, seq);
  for (const auto& batch : RandomWindows(text(), seq, 5).first(20)) trainer.step(batch);
  const std::string prompt = "number 123 follows; number 456 follows; number 789 follows; number";
  Generator at_once(model), by_token(model);
  at_once.prefill(prompt);
  for (const char c : prompt) by_token.prefill(std::string_view(&c, 1));
  double most = 0, size = 0;
  for (std::size_t i = 0; i < at_once.logits().size(); ++i) {
    most = std::max(most, double(std::abs(at_once.logits()[i] - by_token.logits()[i])));
    size = std::max(size, double(std::abs(at_once.logits()[i])));
  }
  CHECK(size > 1);
  CHECK(most <= 8 * std::numeric_limits<bf16>::epsilon() * size);
  CHECK(at_once("", 20).size() >= 20);
}
