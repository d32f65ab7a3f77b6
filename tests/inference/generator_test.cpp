#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include <rwkv/inference/generator.hpp>
#include <rwkv/io/layout_as_stored.hpp>
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
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t n) {
  ++allocations;
  if (void* p = std::malloc(n)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t n, std::align_val_t align, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::aligned_alloc(std::size_t(align), (n + std::size_t(align) - 1) / std::size_t(align) * std::size_t(align));
}
[[gnu::noinline]] void* operator new(std::size_t n, std::align_val_t align) {
  if (void* p = operator new(n, align, std::nothrow)) return p;
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
  chunks.prefill(prompt);
  for (const char c : prompt) single.prefill(std::string(1, c));
  for (std::size_t i = 0; i < 256; ++i) CHECK(chunks.logits()[i] == doctest::Approx(single.logits()[i]).epsilon(1e-4));
}

TEST_CASE("no token allocates memory with matrices in blocks, either") {
  using Wide = v4::Model<64, 32, 2>;
  Storages storages;
  for (const Leaf& leaf : list_leaves<Cpu<float>, Wide::Params<Cpu<float>>>())
    if (leaf.matrix) storages[leaf.name] = leaf.name == "emb.weight" ? Storage::q8_0 : Storage::q4_1;
  Model<Wide> model(layout_of<Cpu<float>>(storages));
  model.params.reset(1);
  Decoder one(model), batch(model, 3);
  const std::vector<std::int32_t> ids(3, 33);
  for (int i = 0; i < 3; ++i) one.feed(33), batch.feed(ids);
  const long before = allocations;
  for (int i = 0; i < 50; ++i) one.feed(33), batch.feed(ids);
  CHECK(allocations == before);
}

TEST_CASE("no token allocates memory") {
  auto model = lively();
  Generator writer(model,
                   SamplerConfig{.temperature = 0.9, .top_p = 0.9, .top_k = 50, .presence = 0.1, .frequency = 0.1});
  writer.prefill(std::string(130, 'x'));
  for (int i = 0; i < 5; ++i) writer.next();
  const long before = allocations;
  for (int i = 0; i < 200; ++i) writer.next();
  CHECK(allocations == before);

  Decoder batch(model, 3);
  const std::vector<std::int32_t> ids(3, 65);
  for (int i = 0; i < 5; ++i) batch.feed(ids);
  const auto here = batch.snapshot();
  const long then = allocations;
  for (int i = 0; i < 200; ++i) batch.feed(ids);
  batch.restore(here);
  CHECK(allocations == then);
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
  CHECK_THROWS_WITH_AS(writer.prefill(beyond), "Decoder: token 256 is outside the model's vocabulary of 256", Error);
  std::string many;
  for (char32_t c = 0; c < 300; ++c) utf8::append(0x4E00 + c, many);
  CHECK_THROWS_WITH_AS(
      Generator(model, Tokenizer(Characters(many))),
      "Generator: the tokenizer has 300 tokens, the model knows 256; use the tokenizer that was saved with the model",
      Error);
  CHECK_THROWS_WITH_AS(writer("a", -1), "Generator: expected a length of at least 0 tokens, found -1", Error);
  CHECK(writer("a", 0).empty());
  Generator latin(model, Tokenizer(Characters("abc")));
  CHECK_THROWS_AS(latin.prefill("abd"), Error);
}

TEST_CASE("several texts go on from one snapshot, each the same every time") {
  auto model = lively();
  Generator writer(model, SamplerConfig{.temperature = 0}), drawing(model, SamplerConfig{.seed = 7});
  for (Generator* each : {&writer, &drawing}) {
    each->prefill("some beginning");
    const auto here = each->snapshot();
    const std::string first = (*each)("", 30), other = (each->restore(here), (*each)(", but", 30));
    for (int i = 0; i < 3; ++i) {
      each->restore(here);
      CHECK((*each)("", 30) == first);
      each->restore(here);
      CHECK((*each)(", but", 30) == other);
    }
    CHECK(first != other);
  }
}

TEST_CASE("a copy goes on as the original, and reset begins anew") {
  auto model = lively();
  Generator writer(model, SamplerConfig{.seed = 3});
  writer.prefill("some beginning");
  Generator copy = writer;
  const std::string text = writer("", 40);
  CHECK(copy("", 40) == text);
  Generator fresh(model, SamplerConfig{.seed = 4});
  fresh.prefill("another");
  CHECK(fresh("", 40) != text);
  copy = Generator(model, SamplerConfig{.seed = 3});
  copy.prefill("something else");
  copy.reset();
  CHECK(copy.logits().empty());
  copy.prefill("some beginning");
  CHECK(copy("", 40) == text);
}

TEST_CASE("what stops a text is read and not shown") {
  auto model = lively();
  Generator writer(model, SamplerConfig{.seed = 3});
  writer.prefill("go");
  const auto here = writer.snapshot();
  const std::string whole = writer("", 120), stop = whole.substr(60, 3);
  const std::size_t at = whole.find(stop);
  writer.restore(here);
  CHECK(writer("", 120, {.texts = {"this does not occur", stop}}) == whole.substr(0, at));
  writer.restore(here);
  const std::int32_t token = static_cast<unsigned char>(whole[60]);
  CHECK(writer("", 120, {.tokens = {token}}) == whole.substr(0, whole.find(whole[60])));
  // Reading went as far as the stop: what follows is what would have followed.
  CHECK(writer("", 5) == whole.substr(whole.find(whole[60]) + 1, 5));
}

namespace {
/// Bytes, one of which ends a text.
struct Ended : Bytes {
  std::int32_t end = 0;
  std::optional<std::int32_t> end_of_text() const { return end; }
};
}  // namespace

TEST_CASE("a text is over where its tokenizer's token says so, which is not shown") {
  const auto model = lively();
  const std::string whole = Generator(model)("to be", 100);
  const char end = whole[20];
  Ended ended;
  ended.end = static_cast<unsigned char>(end);
  CHECK(Generator(model, ended)("to be", 100) == whole.substr(0, whole.find(end)));
}

TEST_CASE("a generator writes one sequence") {
  auto model = lively();
  CHECK_THROWS_WITH_AS(Generator(make_any_decoder(model, 2), Tokenizer()),
                       "Generator: expected a decoder of one sequence, found 2; for a batch, use the decoder and a "
                       "Sampler for each sequence",
                       Error);
}
