#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <string>

#include <doctest/doctest.h>

#include <rwkv/inference/sampler.hpp>

using namespace rwkv;

namespace {

/// A line of sample_logits.jsonl: what pip `rwkv`'s sample_logits hands to its generator of random numbers.
struct Official {
  SamplerConfig config;
  std::vector<float> logits;
  std::vector<double> probabilities;
  bool top_p_one, top_k_tie;  // faults of theirs in float32
};

std::string_view field(std::string_view line, const std::string& name) {
  const std::string key = "\"" + name + "\":";
  const std::size_t at = line.find(key);
  REQUIRE(at != line.npos);
  return line.substr(at + key.size());
}
double number(std::string_view text) {
  if (text.starts_with("null")) return -HUGE_VAL;
  return std::stod(std::string(text.substr(0, 40)));
}
template <class T>
std::vector<T> numbers(std::string_view text) {
  text = text.substr(1, text.find(']') - 1);
  std::vector<T> all;
  for (std::size_t end = 0; end != text.npos; text.remove_prefix(end == text.npos ? 0 : end + 1)) {
    end = text.find(',');
    all.push_back(T(number(text.substr(0, end))));
  }
  return all;
}
std::vector<Official> cases(const std::string& path) {
  std::ifstream file(path);
  std::vector<Official> all;
  for (std::string line; std::getline(file, line);) {
    const std::string_view faults = field(line, "differs_from_exact");
    const std::string_view list = faults.substr(0, faults.find(']'));
    all.push_back({{.temperature = number(field(line, "temperature")),
                    .top_p = number(field(line, "top_p")),
                    .top_k = dim_t(number(field(line, "top_k")))},
                   numbers<float>(field(line, "logits")),
                   numbers<double>(field(line, "probs")),
                   list.find("top_p_one") != list.npos,
                   list.find("top_k_tie") != list.npos});
  }
  return all;
}
std::vector<double> ours(const Official& official) {
  Sampler sampler(official.config, dim_t(official.logits.size()));
  std::vector<float> logits = official.logits;
  std::vector<double> p(logits.size());
  sampler.probabilities(logits, p);
  return p;
}
std::vector<double> in_order(std::vector<double> p) {
  std::sort(p.begin(), p.end());
  return p;
}

void check(const std::vector<Official>& all) {
  for (std::size_t n = 0; n < all.size(); ++n) {
    const Official& official = all[n];
    CAPTURE(n);
    std::vector<double> p = ours(official), expected = official.probabilities;
    REQUIRE(p.size() == expected.size());
    CHECK(std::accumulate(p.begin(), p.end(), 0.0) == doctest::Approx(1).epsilon(1e-12));
    if (official.top_p_one) continue;  // theirs is greedy
    if (official.config.temperature == 0) {
      // theirs draws among equals, ours takes the first
      const auto first = std::find_if(expected.begin(), expected.end(), [](double x) { return x > 0; });
      if (!official.top_k_tie) CHECK(p[std::size_t(first - expected.begin())] == 1);
      continue;
    }
    if (official.top_k_tie) p = in_order(p), expected = in_order(expected);  // theirs keeps another of the equals
    for (std::size_t i = 0; i < p.size(); ++i) {
      CAPTURE(i);
      CHECK(std::abs(p[i] - expected[i]) <= 1e-6);
      if (expected[i] > 1e-30) CHECK(p[i] > 0);
      if (expected[i] == 0) CHECK(p[i] < 1e-30);  // theirs vanishes in float32
    }
  }
}

}  // namespace

TEST_CASE("probabilities are those of the official pipeline") {
  const auto some = cases(RWKV_TESTS_DIR "/golden/sample_logits.jsonl");
  REQUIRE(some.size() == 18);
  check(some);
}

TEST_CASE("the same of all cases, where they are") {
  const auto all = cases(RWKV_SHARED_DIR "/data/rwkv-files/sampling/sample_logits.jsonl");
  if (all.empty()) {
    MESSAGE("skipped: there is no data/rwkv-files");
    return;
  }
  CHECK(all.size() == 140);
  check(all);
}

TEST_CASE("probabilities are those of the tokens that are drawn") {
  SamplerConfig config{.temperature = 0.7, .top_p = 0.9, .presence = 0.5, .frequency = 0.5, .banned = {3}, .seed = 2};
  Sampler sampler(config, 6);
  for (const std::int32_t written : {1, 1, 4}) sampler.observe(written);
  const std::vector<float> logits{0.3f, 1.5f, 0.9f, 7, 0.1f, -4};
  std::vector<float> penalised = logits;
  std::vector<double> p(6), drawn(6);
  const Sampler before = sampler;
  sampler.probabilities(penalised, p);
  CHECK(sampler == before);
  constexpr int n = 4000;
  for (int i = 0; i < n; ++i) {
    SamplerConfig other = config;
    other.seed = std::uint64_t(i);
    Sampler fresh(other, 6);
    for (const std::int32_t written : {1, 1, 4}) fresh.observe(written);
    std::vector<float> again = logits;
    drawn[std::size_t(fresh(again))] += 1.0 / n;
    CHECK(again == penalised);
  }
  for (std::size_t i = 0; i < 6; ++i) CHECK(std::abs(drawn[i] - p[i]) <= 5 * std::sqrt(p[i] * (1 - p[i]) / n));
  CHECK(p[3] == 0);
  std::vector<double> few(5);
  CHECK_THROWS_WITH_AS(sampler.probabilities(penalised, few), "sampler: expected room for 6 probabilities, found 5",
                       Error);
}
