#include <doctest/doctest.h>

#include <cmath>

#include <rwkv/inference/any_decoder.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/v4.hpp>

#include "lively.hpp"

using namespace rwkv;

namespace {
using Rwkv = v4::Model<64, 16, 2>;
using Gpt2 = gpt2::Model<64, 16, 2, 2, 32>;  // its context is full after 32 tokens

double farthest(std::span<const float> a, std::span<const float> b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, double(std::abs(a[i] - b[i])));
  return most;
}
template <class D>
std::int32_t likeliest(const D& decoder) {
  const auto logits = decoder.logits();
  return std::int32_t(std::max_element(logits.begin(), logits.end()) - logits.begin());
}
}  // namespace

TEST_CASE("a prompt at once, token by token, and with the logits of every token") {
  const auto model = lively<Rwkv>();
  std::size_t n = 0;
  SUBCASE("which ends within a stretch") {
    n = 600;
  }
  SUBCASE("which ends with a stretch") {
    n = 512;
  }
  SUBCASE("which is one token longer") {
    n = 513;
  }
  SUBCASE("which is short") {
    n = 7;
  }
  const Tokens ids = tokens(n, 1);
  Decoder at_once(model), single(model), every(model);
  CHECK(at_once.logits().empty());
  std::vector<std::vector<float>> expected;
  for (const auto id : ids) expected.push_back(copy(single.feed(id)));
  CHECK(farthest(at_once.prefill(ids), expected.back()) < 1e-4);
  dim_t next = 0;
  every.prefill(ids, [&](dim_t t, std::span<const float> logits) {
    CHECK(t == next++);
    CHECK(farthest(logits, expected[std::size_t(t)]) < 1e-4);
  });
  CHECK(next == dim_t(n));
  CHECK(every.state() == at_once.state());
}

TEST_CASE_TEMPLATE("the sequences of a batch are independent, past the end of a context", Net, Rwkv, Gpt2) {
  const auto model = lively<Net>();
  const Tokens ids[] = {tokens(150, 1), tokens(150, 2), tokens(150, 3)};
  Decoder batch(model, 3);
  Tokens prompts;
  for (const Tokens& each : ids) prompts.insert(prompts.end(), each.begin(), each.begin() + 70);
  batch.prefill(prompts);
  for (std::size_t b = 0; b < 3; ++b) {
    Decoder alone(model);
    alone.prefill(std::span(ids[b]).first(70));
    CHECK(farthest(batch.logits().subspan(64 * b, 64), alone.logits()) < 1e-4);
  }
  for (std::size_t t = 70; t < 150; ++t) batch.feed(Tokens{ids[0][t], ids[1][t], ids[2][t]});
  REQUIRE(batch.logits().size() == 3 * 64);
  for (std::size_t b = 0; b < 3; ++b) {
    Decoder alone(model);
    alone.prefill(std::span(ids[b]).first(70));
    for (std::size_t t = 70; t < 150; ++t) alone.feed(ids[b][t]);
    CHECK(farthest(batch.logits().subspan(64 * b, 64), alone.logits()) < 1e-4);
  }
  prompts.resize(3 * 64);  // ends with a stretch
  Decoder every(model, 3);
  std::vector<float> last;
  every.prefill(prompts, [&](dim_t, std::span<const float> logits) { last = copy(logits); });
  Decoder again(model, 3);
  CHECK(farthest(again.prefill(prompts), last) < 1e-5);
}

TEST_CASE("prompts of different lengths are read as if each were alone") {
  const auto model = lively<Rwkv>();
  const std::size_t lengths[][4] = {{5, 300, 1, 40}, {0, 3, 3, 170}, {2, 0, 0, 0}, {6, 6, 6, 6}};
  Decoder together(model, 4), every(model, 4);
  std::vector<Decoder<Rwkv>> alone(4, Decoder(model));
  std::uint64_t seed = 0;
  for (const auto& of : lengths) {
    std::vector<Tokens> texts;
    for (const std::size_t n : of) texts.push_back(tokens(n, ++seed));
    const std::vector<std::span<const std::int32_t>> prompts(texts.begin(), texts.end());
    together.prefill(prompts);
    std::vector<std::vector<float>> last(4);
    std::vector<dim_t> read(4, 0);
    every.prefill(prompts, [&](dim_t b, dim_t t, std::span<const float> logits) {
      CHECK(t == read[std::size_t(b)]++);
      last[std::size_t(b)] = copy(logits);
    });
    for (std::size_t b = 0; b < 4; ++b) {
      CAPTURE(b);
      CHECK(read[b] == dim_t(of[b]));
      alone[b].prefill(texts[b]);
      CHECK(farthest(together.logits().subspan(64 * b, 64), alone[b].logits()) < 1e-4);
      CHECK(farthest(every.logits().subspan(64 * b, 64), alone[b].logits()) < 1e-4);
      if (of[b] > 0) CHECK(farthest(last[b], alone[b].logits()) < 1e-4);
    }
  }
  together.reset();
  CHECK(together.prefill(std::vector<std::span<const std::int32_t>>(4)).empty());
}

TEST_CASE("a model of limited context reads several prompts of one length") {
  const auto model = lively<Gpt2>();
  const Tokens a = tokens(40, 1), b = tokens(40, 2), c = tokens(39, 2);
  Decoder batch(model, 2), expected(model, 2);
  Tokens both = a;
  both.insert(both.end(), b.begin(), b.end());
  std::vector<std::span<const std::int32_t>> prompts{a, b};
  CHECK(copy(batch.prefill(prompts)) == copy(expected.prefill(both)));
  dim_t calls = 0;
  batch.prefill(prompts, [&](dim_t, dim_t, std::span<const float> logits) { calls += logits.size() == 64; });
  CHECK(calls == 80);
  prompts[1] = c;
  CHECK_THROWS_WITH_AS(batch.prefill(prompts),
                       "Decoder: a model of limited context reads prompts of the same length, found 39 and 40 tokens; "
                       "give each sequence a decoder of its own",
                       Error);
}

TEST_CASE_TEMPLATE("a snapshot holds everything: each restore goes on alike", Net, Rwkv, Gpt2) {
  const auto model = lively<Net>();
  Decoder decoder(model);
  decoder.prefill(tokens(25, 1));
  const auto here = decoder.snapshot();
  const auto write = [](auto& by) {
    Tokens text;
    for (int i = 0; i < 60; ++i) text.push_back(likeliest(by)), by.feed(text.back());
    return text;
  };
  const Tokens expected = write(decoder);
  for (int i = 0; i < 3; ++i) {
    decoder.restore(here);
    CHECK(write(decoder) == expected);
  }
  Decoder other(model);
  other.prefill(tokens(5, 9));
  other.restore(here);
  Decoder copied = other;
  CHECK(write(other) == expected);
  CHECK(write(copied) == expected);
  copied = Decoder(model);
  copied.restore(here);
  CHECK(write(copied) == expected);
}

TEST_CASE("a state alone goes on, without logits") {
  const auto model = lively<Rwkv>();
  Decoder a(model), b(model);
  a.prefill(tokens(20, 1)), b.prefill(tokens(3, 2));
  b.set_state(a.state());
  CHECK(b.logits().empty());
  CHECK(b.state() == a.state());
  CHECK(copy(b.feed(7)) == copy(a.feed(7)));
  b.reset();
  CHECK(b.logits().empty());
  CHECK(b.state() == Model<Rwkv>::fresh_state());
}

TEST_CASE("what does not fit is refused in plain words") {
  const auto model = lively<Rwkv>();
  Decoder one(model), three(model, 3);
  CHECK_THROWS_WITH_AS(one.feed(64), "Decoder: token 64 is outside the model's vocabulary of 64", Error);
  CHECK_THROWS_WITH_AS(one.feed(tokens(2, 1)),
                       "Decoder: expected a token of each of 1 sequences, found 2; prefill reads more than one of each",
                       Error);
  CHECK_THROWS_WITH_AS(three.prefill(tokens(4, 1)), "Decoder: expected as many tokens for each of 3 sequences, found 4",
                       Error);
  CHECK_THROWS_WITH_AS(one.set_state(three.state()),
                       "Decoder: expected a state of 1 sequences, found one of 3; make it with fresh_state(1)", Error);
  CHECK_THROWS_AS(one.restore(three.snapshot()), Error);
  const Tokens some{1, 64};
  const std::vector<std::span<const std::int32_t>> prompts(2, some), more(3, some);
  CHECK_THROWS_WITH_AS(three.prefill(prompts), "Decoder: expected a prompt of each of 3 sequences, found 2", Error);
  CHECK_THROWS_WITH_AS(three.prefill(more), "Decoder: token 64 is outside the model's vocabulary of 64", Error);
}

TEST_CASE("a batch that is none, that cannot be counted, or that no machine has, is refused") {
  const auto model = lively<Rwkv>();
  const auto make = [&](dim_t batch) { Decoder(model, batch); };
  CHECK_THROWS_WITH_AS(make(0), "Decoder: expected a batch of at least 1, found 0", Error);
  CHECK_THROWS_AS(make(-1), Error);
  CHECK_THROWS_WITH_AS(make(dim_t{1} << 62), doctest::Contains("found 4611686018427387904 and 1;"), Error);
  CHECK_THROWS_AS(make(std::numeric_limits<dim_t>::max()), Error);
  CHECK_THROWS_AS(make(dim_t{1} << 45), OutOfMemory);
}

TEST_CASE("an erased decoder is the decoder") {
  const auto model = lively<Gpt2>();
  const auto rwkv = lively<Rwkv>();
  Decoder decoder(model);
  const auto any = make_any_decoder(model);
  CHECK(any->vocabulary() == 64);
  CHECK(any->context() == 32);
  CHECK(make_any_decoder(rwkv, 2)->context() == 0);
  CHECK(make_any_decoder(rwkv, 2)->batch() == 2);
  const Tokens ids = tokens(40, 1), one{7};
  CHECK(copy(any->prefill(ids)) == copy(decoder.prefill(ids)));
  dim_t calls = 0;
  const auto here = any->snapshot();
  const auto clone = any->clone();
  any->prefill(ids, [&](dim_t, std::span<const float>) { ++calls; });
  CHECK(calls == 40);
  const std::span<const std::int32_t> prompts[] = {ids};
  any->prefill(prompts, [&](dim_t, dim_t, std::span<const float>) { ++calls; });
  CHECK(calls == 80);
  CHECK(any->prefill(prompts).size() == 64);
  const auto expected = copy(decoder.feed(7));
  any->restore(here);
  CHECK(copy(any->feed(one)) == expected);
  CHECK(copy(clone->feed(one)) == expected);
  any->reset();
  CHECK(any->logits().empty());
  CHECK_THROWS_WITH_AS(any->restore(make_any_decoder(rwkv)->snapshot()),
                       "Decoder: expected a snapshot of the same model, found another's or none", Error);
}
