#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <rwkv/inference/score.hpp>
#include <rwkv/models/v4.hpp>

using namespace rwkv;

namespace {
using Net = v4::Model<64, 16, 2>;
using Tokens = std::vector<std::int32_t>;

Model<Net> lively() {  // away from the zeros of the initial values
  Model<Net> model(1);
  for (dim_t i = 0; i < model.params.size(); ++i)
    model.params.data()[i] += float(0.2 * Random{5}.normals(std::uint64_t(i))[0]);
  return model;
}
Tokens tokens(std::size_t n, std::uint64_t seed) {
  Tokens ids(n);
  for (std::size_t i = 0; i < n; ++i) ids[i] = std::int32_t(Random{seed}.below(64, i));
  return ids;
}
double softmax_log(std::span<const float> logits, std::int32_t token) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double(logit) - double(logits[std::size_t(token)]));
  return -std::log(sum);
}
}  // namespace

TEST_CASE("log-probabilities are those of the softmax, for any number and size of logits") {
  for (const std::size_t n : {1, 7, 8, 64, 65}) {
    std::vector<float> logits(n);
    for (std::size_t i = 0; i < n; ++i) logits[i] = float(30 * Random{n}.normals(i)[0]);
    for (std::size_t i = 0; i < n; ++i) {
      const auto token = std::int32_t(i);
      CHECK(log_probability(logits, token) == doctest::Approx(softmax_log(logits, token)).epsilon(1e-6));
    }
  }
  constexpr float never = -std::numeric_limits<float>::infinity();
  CHECK(log_probability(std::vector<float>{0, never, 0}, 2) == doctest::Approx(-std::log(2.0)));
  CHECK(log_probability(std::vector<float>{0, never, 0}, 1) == never);
  CHECK(log_probability(std::vector<float>{1e30f, 0}, 0) == 0);
  CHECK(likeliest(std::vector<float>{0, 2, 1, 2}) == 1);
}

TEST_CASE("continuations are scored as if each were read alone, token by token") {
  const auto model = lively();
  std::vector<Continuation> all;
  std::vector<Score> expected;
  const Tokens said = tokens(11, 77);  // which all decoders have read
  Decoder alone(model);
  bool some_greedy = false, some_not = false;
  for (const auto& [before, after] :
       std::vector<std::pair<std::size_t, std::size_t>>{{1, 1}, {70, 3}, {5, 0}, {2, 90}, {1, 4}, {130, 1}, {9, 9}}) {
    Continuation one{tokens(before, all.size()), tokens(after, 100 + all.size())};
    Score score;
    alone.reset();
    alone.prefill(said);
    for (const std::int32_t id : one.before) alone.feed(id);
    for (std::int32_t& id : one.tokens) {
      if (all.size() % 2 == 1) id = likeliest(alone.logits());
      score.log_probability += softmax_log(alone.logits(), id);
      score.greedy = score.greedy && id == likeliest(alone.logits());
      alone.feed(id);
    }
    (score.greedy ? some_greedy : some_not) = true;
    all.push_back(one), expected.push_back(score);
  }
  REQUIRE((some_greedy && some_not));
  for (const dim_t batch : {1, 3, 16}) {
    const auto decoder = make_any_decoder(model, batch);
    Tokens to_each;
    for (dim_t b = 0; b < batch; ++b) to_each.insert(to_each.end(), said.begin(), said.end());
    const auto before = decoder->prefill(to_each);
    const std::vector<float> logits(before.begin(), before.end());
    const std::vector<Score> scores = score(*decoder, all);
    CHECK(std::ranges::equal(decoder->logits(), logits));
    REQUIRE(scores.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      CAPTURE(batch);
      CAPTURE(i);
      CHECK(scores[i].log_probability == doctest::Approx(expected[i].log_probability).epsilon(1e-4));
      CHECK(scores[i].greedy == expected[i].greedy);
    }
  }
}

TEST_CASE("a continuation of nothing, and one of tokens that the model lacks, are refused") {
  const auto model = lively();
  const auto decoder = make_any_decoder(model, 2);
  const auto complaint = [&](const Continuation& one) {
    try {
      (void)score(*decoder, std::vector{one});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(complaint({{}, {1}}).find("at least one token before continuation number 0") != std::string::npos);
  CHECK(complaint({{1}, {64}}).find("token 64 is outside the model's vocabulary of 64") != std::string::npos);
  CHECK(complaint({{-1}, {1}}).find("token -1 is outside") != std::string::npos);
  CHECK(score(*decoder, {}).empty());
}
