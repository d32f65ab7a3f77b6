#include <doctest/doctest.h>

#include <rwkv/models/v4.hpp>
#include <rwkv/text/bytes.hpp>

#include "../../examples/evaluate/last_words.hpp"
#include "../../examples/evaluate/next_token.hpp"
#include "../../examples/evaluate/score_text.hpp"
#include "../text/temporary_file.hpp"

using namespace rwkv;
using namespace example;

namespace {
std::string complaint(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}
bool has(const std::string& text, const std::string& words) {
  CAPTURE(text);
  return text.find(words) != text.npos;
}
}  // namespace

TEST_CASE("lists of tokens are read whole or refused") {
  CHECK(token_list("0") == std::vector<std::int32_t>{0});
  CHECK(token_list("3,17,65535") == std::vector<std::int32_t>{3, 17, 65535});
  for (const char* bad : {"", ",", "3,", ",3", "3,,4", "3 4", "-1", "+1", "3,4x", "99999999999", "3;4"})
    CHECK(has(complaint([&] { token_list(bad); }), "--ids: expected numbers of tokens with commas between them"));
}

TEST_CASE("the last word of a passage stands after the rest of it, with its space") {
  const TemporaryFile file("{\"text\": \"a b c\"}\n\n{\"id\": 1, \"text\": \" de fg. \\n\"}\n");
  const auto words = last_words(file.path(), Bytes());
  REQUIRE(words.size() == 2);
  const auto text = [](std::span<const std::int32_t> ids) { return Tokenizer(Bytes()).decode(ids); };
  CHECK(words[0].before[0] == 0);
  CHECK(text(std::span(words[0].before).subspan(1)) == "a b");
  CHECK(text(words[0].tokens) == " c");
  CHECK(text(std::span(words[1].before).subspan(1)) == " de");
  CHECK(text(words[1].tokens) == " fg.");
  const TemporaryFile one("{\"text\": \"a b\"}\n{\"text\": \" word\"}\n"), empty("\n");
  CHECK(has(complaint([&] { last_words(one.path(), Bytes()); }), "line 2: expected a text of two words or more"));
  CHECK(has(complaint([&] { last_words(empty.path(), Bytes()); }), "expected lines of JSON, found none"));
  const WordScore score = word_score({{-1, true}, {-3, false}, {-2, true}, {-2, true}});
  CHECK(score.accuracy == 0.75);
  CHECK(score.log_probability == doctest::Approx(-2));
  CHECK(score.perplexity() == doctest::Approx(std::exp(2)));
}

TEST_CASE("every token of a text is scored after token 0 and all before it in its part") {
  using Net = v4::Model<256, 8, 2>;
  Model<Net> model(1);
  for (dim_t i = 0; i < model.params.size(); ++i)
    model.params.data()[i] += float(0.2 * Random{5}.normals(std::uint64_t(i))[0]);
  std::string text;
  for (std::uint64_t i = 0; i < 2500; ++i) text += char('a' + Random{7}.below(26, i));
  const Corpus corpus = Corpus::of_text(text, Bytes());
  for (const dim_t parts : {1, 3, 7}) {
    const dim_t length = (corpus.size() + parts - 1) / parts;
    double nats = 0;
    Decoder alone(model);
    for (dim_t i = 0; i < corpus.size(); ++i) {
      const auto id = std::int32_t(text[std::size_t(i)]);
      if (i % length == 0) alone.reset(), alone.feed(0);
      nats -= log_probability(alone.logits(), id);
      alone.feed(id);
    }
    const TextScore score = score_text(*make_any_decoder(model, parts), corpus);
    CHECK(score.tokens == 2500);
    CHECK(score.bytes == 2500);
    CHECK(score.nats == doctest::Approx(nats).epsilon(1e-5));
    CHECK(score.bits_per_byte() == doctest::Approx(score.loss() / std::log(2.0)));
    CHECK(score.perplexity() == doctest::Approx(std::exp(nats / 2500)).epsilon(1e-4));
  }
}
