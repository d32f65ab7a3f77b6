#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <rwkv/core/random.hpp>
#include <rwkv/inference/sampler.hpp>

using rwkv::dim_t;
using rwkv::Error;
using rwkv::Random;
using rwkv::Sampler;
using rwkv::SamplerConfig;
using Logits = std::vector<float>;
using Tokens = std::vector<std::int32_t>;

static_assert(std::copyable<Sampler> && std::equality_comparable<Sampler>);

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::int32_t pick(Sampler& sampler, Logits logits) {
  return sampler(logits);
}

Tokens picks(Sampler sampler, const Logits& logits, int n) {
  Tokens made;
  for (int i = 0; i < n; ++i) made.push_back(pick(sampler, logits));
  return made;
}

/// Logits with many ties: multiples of 1/2.
Logits random_logits(const Random& random, std::size_t n) {
  Logits logits(n);
  for (std::size_t i = 0; i < n; ++i) logits[i] = 0.5f * static_cast<float>(random.below(11, i)) - 2.5f;
  return logits;
}

/// What each token's probability is to be, after section 10 of the specification.
std::vector<double> expected(const Logits& logits, const SamplerConfig& s) {
  const std::size_t n = logits.size();
  const double max = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p(n);
  for (std::size_t i = 0; i < n; ++i) p[i] = std::exp(double(logits[i]) - max);
  const double total = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= total;
  std::vector<std::size_t> sorted(n);
  std::iota(sorted.begin(), sorted.end(), 0);
  std::stable_sort(sorted.begin(), sorted.end(), [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  std::vector<double> kept = p;
  if (s.top_p < 1) {
    double sum = 0;
    std::size_t first = 0;
    while (sum += p[sorted[first]], sum < s.top_p) ++first;
    for (std::size_t i = 0; i < n; ++i)
      if (logits[i] < logits[sorted[first]]) kept[i] = 0;
  }
  if (s.top_k > 0)
    for (std::size_t i = static_cast<std::size_t>(s.top_k); i < n; ++i) kept[sorted[i]] = 0;
  for (double& x : kept) x = x > 0 ? std::pow(x, 1 / s.temperature) : 0;
  const double mass = std::accumulate(kept.begin(), kept.end(), 0.0);
  for (double& x : kept) x /= mass;
  return kept;
}

void check_distribution(const Logits& logits, const SamplerConfig& sampler) {
  const std::vector<double> p = expected(logits, sampler);
  constexpr int n = 4000;
  std::vector<int> counts(logits.size());
  for (const std::int32_t token : picks(Sampler(sampler, static_cast<dim_t>(logits.size())), logits, n))
    ++counts[static_cast<std::size_t>(token)];
  for (std::size_t i = 0; i < p.size(); ++i) {
    CAPTURE(i);
    CAPTURE(p[i]);
    if (p[i] == 0) CHECK(counts[i] == 0);
    CHECK(std::abs(counts[i] - n * p[i]) <= 5 * std::sqrt(n * p[i] * (1 - p[i])) + 1);
  }
}

}  // namespace

TEST_CASE("tokens are drawn as often as the official order of cuts and temperature says") {
  const double top_ps[] = {1, 0.85, 0.5, 0.97, 0}, temperatures[] = {1, 0.5, 2, 0.9};
  const dim_t top_ks[] = {0, 3, 1, 100, 7};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    const Random random{seed};
    SamplerConfig sampler{
        .temperature = temperatures[seed % 4], .top_p = top_ps[seed % 5], .top_k = top_ks[seed / 5 % 5], .seed = seed};
    CAPTURE(sampler.temperature);
    CAPTURE(sampler.top_p);
    CAPTURE(sampler.top_k);
    check_distribution(random_logits(random, 1 + random.below(24, 999)), sampler);
  }
}

TEST_CASE("the cutoff is where the sum reaches top_p, and its equals survive") {
  const Logits quarters(4, 1.5f);                       // 0.25 each
  check_distribution(quarters, {.top_p = 0.5});         // all are as likely as the last one needed
  const Logits halves{std::log(2.f), 0, 0, -infinity};  // 0.5 0.25 0.25 0
  CHECK(picks(Sampler({.top_p = 0.4999}, 4), halves, 50) == Tokens(50, 0));
  check_distribution(halves, {.top_p = 0.51});
  int exact = 0;
  for (int k = 1; k < 50; ++k) {  // reached exactly: >=, not >
    const Logits two{0, -0.1f * static_cast<float>(k)};
    const double sum = 1 + rwkv::math::exp(double(two[1]));
    if (1 / sum * sum != 1) continue;
    ++exact;
    CHECK(picks(Sampler({.top_p = 1 / sum}, 2), two, 50) == Tokens(50, 0));
  }
  CHECK(exact > 10);
  check_distribution(quarters, {.top_k = 2});  // the lower numbers
}

TEST_CASE("top_p = 0 keeps the likeliest and its equals") {
  const Logits logits{1, 3, 2, 3, 0};
  check_distribution(logits, {.top_p = 0});
}

TEST_CASE("temperature 0 is the likeliest token, the first among equals, whatever the seed") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const Logits logits = random_logits(Random{seed}, 1 + seed);
    Sampler sampler({.temperature = 0, .top_p = 0.5, .seed = seed}, static_cast<dim_t>(logits.size()));
    CHECK(pick(sampler, logits) == std::max_element(logits.begin(), logits.end()) - logits.begin());
  }
}

TEST_CASE("extreme logits and temperatures are drawn from without trouble") {
  constexpr float most = std::numeric_limits<float>::max();
  CHECK(picks(Sampler({}, 3), {-most, most, -most}, 50) == Tokens(50, 1));
  CHECK(picks(Sampler({}, 3), {-infinity, -most, -infinity}, 50) == Tokens(50, 1));
  CHECK(picks(Sampler({.temperature = 1e-300}, 3), {0, 1e-30f, 0}, 50) == Tokens(50, 1));
  CHECK(picks(Sampler({.top_p = 0.9999999}, 3), {-infinity, 5, -infinity}, 50) == Tokens(50, 1));
  CHECK(picks(Sampler({.top_k = 2}, 3), {-infinity, 5, -infinity}, 50) == Tokens(50, 1));
  CHECK(picks(Sampler({.top_k = dim_t{1} << 40}, 1), {5}, 3) == Tokens(3, 0));
  check_distribution({80, 79, 78}, {.temperature = 1});
  check_distribution({-1000, -1000, -1001}, {.temperature = 1});
  // nearly uniform, but what cannot be still cannot
  const Tokens hot = picks(Sampler({.temperature = 1e300}, 3), {-infinity, 100, -100}, 1000);
  CHECK(std::ranges::count(hot, 0) == 0);
  CHECK(std::abs(std::ranges::count(hot, 1) - 500) < 80);
}

TEST_CASE("a copy goes on as the original does, and two seeds do not") {
  const Logits logits = random_logits(Random{3}, 50);
  Sampler sampler(SamplerConfig::official(7), 50);
  picks(sampler, logits, 10);
  CHECK(sampler.position() == 0);
  for (int i = 0; i < 10; ++i) pick(sampler, logits);
  CHECK(sampler.position() == 10);
  Sampler copy = sampler;
  CHECK(copy == sampler);
  const Tokens more = picks(copy, logits, 40);
  CHECK(more == picks(sampler, logits, 40));
  pick(copy, logits);
  CHECK(copy != sampler);
  pick(sampler, logits);
  CHECK(copy == sampler);
  copy.observe(pick(sampler, logits));
  CHECK(copy != sampler);  // the same tokens, another place in the random numbers
  copy = sampler;
  copy.observe(4);
  CHECK(copy != sampler);  // the other way round
  CHECK(picks(Sampler({.seed = 1}, 50), logits, 40) != picks(Sampler({.seed = 2}, 50), logits, 40));
}

TEST_CASE("the tokens of a seed never change") {
  Logits logits(16);
  for (std::size_t i = 0; i < 16; ++i) logits[i] = static_cast<float>(i % 5) * 0.5f;
  CHECK(picks(Sampler({.seed = 42}, 16), logits, 12) == Tokens{4, 4, 12, 2, 9, 14, 6, 7, 14, 9, 3, 14});
  CHECK(picks(Sampler(SamplerConfig::official(42), 16), logits, 12) == Tokens{2, 7, 9, 6, 9, 4, 9, 13, 14, 3, 7, 4});
}

TEST_CASE("penalties follow the official table") {
  const SamplerConfig config{
      .temperature = 0, .presence = 0.5, .frequency = 0.25, .penalty_decay = 0.5, .uncounted = {2}};
  Sampler sampler(config, 4);
  Logits logits{4, 0, 0, 0};
  CHECK(sampler(logits) == 0);
  CHECK(logits == Logits{4, 0, 0, 0});  // nothing was written yet
  CHECK(sampler(logits = {4, 0, 0, 0}) == 0);
  CHECK(logits[0] == 4 - 0.5f - 0.25f);  // counted once
  CHECK(sampler(logits = {0, 0, 4, 0}) == 2);
  CHECK(logits[0] == -0.5f - 0.25f * 1.5f);  // 1 decayed, and 1
  CHECK(sampler(logits = {0, 9, 4, 0}) == 1);
  CHECK(logits[0] == -0.5f - 0.25f * 0.75f);
  CHECK(logits[2] == 4 - 0.5f);  // present, but uncounted
  CHECK(logits[1] == 9);
  CHECK(logits[3] == 0);
}

TEST_CASE("a prompt is penalised only where it is observed") {
  const SamplerConfig config{.temperature = 0, .presence = 1, .frequency = 1, .penalty_decay = 1};
  Sampler sampler(config, 3);
  sampler.observe(1);
  sampler.observe(1);
  Logits logits{0, 2, -0.5f};
  CHECK(sampler(logits) == 0);
  CHECK(logits == Logits{0, -1, -0.5f});
  CHECK(sampler.position() == 1);
  CHECK(pick(sampler, {0, 2, -0.5f}) == 2);
}

TEST_CASE("banned tokens are never drawn") {
  const Logits logits{5, 4, 9, 4};
  for (const double temperature : {0.0, 1.0, 100.0}) {
    const Tokens made = picks(Sampler({.temperature = temperature, .banned = {2, 0}}, 4), logits, 200);
    CHECK(std::ranges::count(made, 2) + std::ranges::count(made, 0) == 0);
  }
}

TEST_CASE("the official defaults") {
  const SamplerConfig official = SamplerConfig::official(5);
  CHECK(official == SamplerConfig{.temperature = 1.0,
                                  .top_p = 0.85,
                                  .top_k = 0,
                                  .presence = 0.2,
                                  .frequency = 0.2,
                                  .penalty_decay = 0.996,
                                  .seed = 5});
  CHECK(SamplerConfig{}.presence == 0);
  CHECK(SamplerConfig{}.frequency == 0);
  CHECK(SamplerConfig{}.top_p == 1);

  struct Words {  // any tokenizer will do
    std::vector<std::string> words{"a", " ", "12", "21", "9", "\t0", "0\t", " \t0123456789", "1a", ""};
    dim_t size() const { return static_cast<dim_t>(words.size()); }
    void append(std::int32_t id, std::string& out) const { out += words[static_cast<std::size_t>(id)]; }
  };
  CHECK(SamplerConfig::official(Words{}).uncounted == Tokens{1, 2, 4, 5, 7});
  CHECK(SamplerConfig::official(Words{}, 3).seed == 3);
}

TEST_CASE("logits that are no numbers, too many or too few are refused") {
  Sampler sampler({.banned = {3}}, 4);
  const Sampler before = sampler;
  CHECK_THROWS_WITH_AS(pick(sampler, {0, std::nanf(""), 0, 0}),
                       "sampler: expected numbers as logits, found NaN for token 1; the model has diverged or its "
                       "weights are damaged",
                       Error);
  CHECK_THROWS_WITH_AS(pick(sampler, {0, 0, infinity, 0}), doctest::Contains("found +infinity for token 2"), Error);
  CHECK_THROWS_WITH_AS(pick(sampler, {std::nanf(""), 0, 0, 0}), doctest::Contains("found NaN for token 0"), Error);
  CHECK_THROWS_WITH_AS(pick(sampler, {-infinity, -infinity, -infinity, 0}),
                       "sampler: expected a token that can be drawn, found -infinity for all; ban fewer tokens", Error);
  CHECK_THROWS_WITH_AS(pick(sampler, {0, 0, 0}),
                       "sampler: expected 4 logits, found 3; give the Sampler the vocabulary of the model", Error);
  CHECK_THROWS_AS(pick(sampler, {0, 0, 0, 0, 0}), Error);
  CHECK(sampler == before);
}

TEST_CASE("options beyond their range are refused") {
  CHECK_THROWS_WITH_AS(Sampler({.temperature = -1}, 4),
                       "sampler: expected temperature of at least 0, found -1; SamplerConfig{} and "
                       "SamplerConfig::official() are good starts",
                       Error);
  CHECK_THROWS_WITH_AS(Sampler({.top_p = 1.5}, 4), doctest::Contains("expected top_p from 0 to 1, found 1.5"), Error);
  CHECK_THROWS_WITH_AS(Sampler({.top_k = -2}, 4), doctest::Contains("expected top_k of at least 0, found -2"), Error);
  CHECK_THROWS_WITH_AS(Sampler({.penalty_decay = 2}, 4), doctest::Contains("penalty_decay from 0 to 1, found 2"),
                       Error);
  CHECK_THROWS_WITH_AS(Sampler({}, 0), doctest::Contains("expected a vocabulary of at least one token"), Error);
  const double nan = std::nan("");
  CHECK_THROWS_AS(Sampler({.temperature = nan}, 4), Error);
  CHECK_THROWS_AS(Sampler({.temperature = std::numeric_limits<double>::infinity()}, 4), Error);
  CHECK_THROWS_AS(Sampler({.top_p = nan}, 4), Error);
  CHECK_THROWS_WITH_AS(Sampler({.presence = nan}, 4), doctest::Contains("expected presence to be a number"), Error);
  CHECK_THROWS_WITH_AS(Sampler({.frequency = nan}, 4), doctest::Contains("expected frequency to be a number"), Error);
  CHECK_THROWS_WITH_AS(Sampler({.banned = {4}}, 4),
                       "sampler: expected tokens from 0 to 3, found 4; use the tokenizer that was saved with the model",
                       Error);
  CHECK_THROWS_AS(Sampler({.uncounted = {-1}}, 4), Error);
  CHECK_THROWS_WITH_AS(Sampler({.top_k = std::numeric_limits<dim_t>::min()}, 4),
                       doctest::Contains("top_k of at least 0, found -9223372036854775808"), Error);
  Sampler sampler({}, 4);
  CHECK_THROWS_AS(sampler.observe(4), Error);
}
