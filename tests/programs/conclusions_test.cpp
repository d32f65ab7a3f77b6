#include <doctest/doctest.h>

#include "../../examples/compare/conclusions.hpp"

using namespace compare;

namespace {
/// A model whose every stretch of 1000 tokens between validations took so many seconds.
ModelResult model(const std::string& name, double last_loss, const std::vector<double>& seconds) {
  ModelResult m{.entry = {name, name, 1e-3}, .shape = "", .facts = {}};
  Curve curve;
  double sum = 0;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    sum += seconds[i];
    curve.push_back({1000.0 * double(i + 1), sum, last_loss, last_loss + double(seconds.size() - 1 - i)});
  }
  m.curves.push_back(curve);
  m.seeds.push_back(1);
  return m;
}
/// All conclusions of a study of two models.
std::string conclusions_of(const ModelResult& a, const ModelResult& b) {
  const Study study;
  Results results{.study = study, .machine = ""};
  results.models = {a, b};
  std::string all;
  for (const std::string& line : conclusions(results)) all += line + "\n";
  return all;
}
bool has(const std::string& text, const std::string& words) {
  CAPTURE(text);
  return text.find(words) != text.npos;
}
}  // namespace

TEST_CASE("a conclusion about speed says the spread, and names the fastest model beyond it") {
  const std::string all = conclusions_of(model("a", 1, {0.1, 0.11, 0.1}), model("b", 2, {0.2, 0.21, 0.2}));
  CHECK(has(all,
            "Tokens a second in training: a 9,677 (from 9,091 to 10,000), b 4,918 (from 4,762 to 5,000); a is the "
            "fastest.\n"));
  CHECK(has(all, "At equal training time, 0.3 s on this machine, a leads"));
  const std::string near = conclusions_of(model("a", 1, {0.1, 0.13, 0.1}), model("b", 2, {0.12, 0.12, 0.12}));
  CHECK(has(near, "; no model is the fastest beyond that spread.\n"));
}

TEST_CASE("on a busy machine nothing is concluded from times") {
  // From 1403 to 4536 tokens a second.
  const std::string all = conclusions_of(model("a", 1, {0.22, 0.713, 0.3}), model("b", 2, {1, 1, 1}));
  CHECK(has(all, "a leads b by 1.0000 nats per character at equal tokens"));
  CHECK(has(all, "(from 1,403 to 4,545)"));
  CHECK(has(all, "the machine was busy: these times compare nothing"));
  CHECK(!has(all, "At equal training time"));
  CHECK(!has(all, "is the fastest"));
}
