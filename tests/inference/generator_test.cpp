#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include <rwkv/inference/generator.hpp>
#include <rwkv/models/v4.hpp>

using namespace rwkv;

namespace {
std::atomic<long> allocations = 0;
using Net = v4::Model<256, 16, 2>;

Model<Net> lively() {  // away from the zeros of the initial values
  Model<Net> model(1);
  for (dim_t i = 0; i < model.params.size(); ++i)
    model.params.data()[i] += float(0.2 * Random{5}.normals(std::uint64_t(i))[0]);
  return model;
}
std::vector<float> logits(const auto& writer) {
  return {writer.logits().begin(), writer.logits().end()};
}
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t n) {
  ++allocations;
  if (void* p = std::malloc(n)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t n, std::align_val_t align) {
  ++allocations;
  if (void* p = std::aligned_alloc(std::size_t(align),
                                   (n + std::size_t(align) - 1) / std::size_t(align) * std::size_t(align)))
    return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(n);
}
[[gnu::noinline]] void operator delete(void* p) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

TEST_CASE("a prompt read in chunks leaves what reading it token by token does") {
  auto model = lively();
  std::string prompt;
  for (int i = 0; i < 150; ++i) prompt += char('a' + i * 7 % 26);
  Generator chunks(model), single(model);
  chunks.read(prompt);
  for (const char c : prompt) single.read(std::string(1, c));
  for (std::size_t i = 0; i < 256; ++i) CHECK(chunks.logits()[i] == doctest::Approx(single.logits()[i]).epsilon(1e-4));
}

TEST_CASE("no token allocates memory") {
  auto model = lively();
  Generator writer(model,
                   SamplerConfig{.temperature = 0.9, .top_p = 0.9, .top_k = 50, .presence = 0.1, .frequency = 0.1});
  writer.read(std::string(130, 'x'));
  for (int i = 0; i < 5; ++i) writer.next();
  const long before = allocations;
  for (int i = 0; i < 200; ++i) writer.next();
  CHECK(allocations == before);
}

TEST_CASE("a copied state goes on as the original would") {
  auto model = lively();
  Generator a(model, SamplerConfig{.seed = 3}), b(model, SamplerConfig{.seed = 3});
  a.read("some beginning");
  const auto here = a.state();
  a.read("x");
  const auto expected = logits(a);
  a.read("yz");
  CHECK(a.state() != here);
  b.state() = here;
  b.read("x");
  CHECK(logits(b) == expected);
}

TEST_CASE("the same seed writes the same text, and streams it in whole characters") {
  auto model = lively();
  Generator a(model, SamplerConfig{.seed = 3}), b(model, SamplerConfig{.seed = 3}), c(model, SamplerConfig{.seed = 4});
  const std::string text = a("prompt", 60);
  std::string streamed;
  b.write("prompt", 60, [&](std::string_view piece) { streamed += piece; });
  CHECK(text == streamed);
  CHECK(text != c("prompt", 60));
  CHECK(text.size() == 60);

  const std::string vocabulary = "aä€😀";
  Generator d(model, Tokenizer(Characters(vocabulary)), SamplerConfig{.seed = 3});
  std::size_t pieces = 0;
  d.write("ä", 50, [&](std::string_view piece) {
    ++pieces;
    CHECK(Characters(vocabulary).encode(piece).size() == 1);
  });
  CHECK(pieces == 50);
}

TEST_CASE("it may begin with nothing, and refuses what the model cannot know") {
  auto model = lively();
  Generator writer(model);
  CHECK(writer.next() >= 0);
  const std::int32_t beyond[] = {256};
  CHECK_THROWS_WITH_AS(writer.read(beyond), "Generator: token 256 is outside the model's vocabulary of 256", Error);
  std::string many;
  for (char32_t c = 0; c < 300; ++c) utf8::append(0x4E00 + c, many);
  CHECK_THROWS_WITH_AS(
      Generator(model, Tokenizer(Characters(many))),
      "Generator: the tokenizer has 300 tokens, the model knows 256; use the tokenizer that was saved with the model",
      Error);
  Generator latin(model, Tokenizer(Characters("abc")));
  CHECK_THROWS_AS(latin.read("abd"), Error);
}

TEST_CASE("a state of several sequences is refused in plain words") {
  Model<Net> model(1);
  Generator writer(model);
  writer.state() = Model<Net>::fresh_state(3);
  CHECK_THROWS_WITH_AS(writer.read("a"),
                       "Generator: expected a state of 1 sequence, found one of 3; make it with fresh_state()", Error);
}
