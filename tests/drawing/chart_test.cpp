#include <doctest/doctest.h>

#include <rwkv/drawing/chart.hpp>
#include <set>

using namespace drawing;

namespace {
std::size_t count(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != text.npos; at += word.size()) ++n;
  return n;
}
}  // namespace

TEST_CASE("a chart names its axes and every line, and has a size of its own only by its viewBox") {
  Chart chart{"Loss & time", "tokens", "nats per character", {}, {}, Scale::logarithmic, Scale::linear};
  for (std::size_t i = 0; i < 3; ++i) {
    Series line = style(i);
    line.name = "model<" + std::to_string(i) + ">";
    line.points = {{100, 3 - double(i)}, {10000, 2 - double(i)}};
    chart.series.push_back(line);
  }
  const std::string picture = svg({chart, chart}, "words");
  for (const char* words :
       {">Loss &amp; time<", ">tokens<", ">nats per character<", ">model&lt;0&gt;<", ">model&lt;2&gt;<"})
    CHECK(count(picture, words) == 2);
  CHECK(count(picture, ">words<") == 1);
  CHECK(count(picture, ">1,000<") == 2);
  CHECK(picture.starts_with("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 920 "));
  CHECK(picture.find(" width='9") == picture.npos);
  CHECK(picture.find("nan") == picture.npos);
}

TEST_CASE("lines of a chart differ in colour and dash together, and seven of them in colour alone") {
  std::set<std::string> colours, both;
  for (std::size_t i = 0; i < 28; ++i) {
    const Series line = style(i);
    if (i < 7) colours.insert(line.colour);
    both.insert(line.colour + line.dash);
  }
  CHECK(colours.size() == 7);
  CHECK(both.size() == 28);
}

TEST_CASE("charts without lines, with one point and with equal values are drawn without NaN") {
  for (const Scale up : {Scale::linear, Scale::logarithmic})
    for (const auto& points :
         std::vector<std::vector<std::pair<double, double>>>{{}, {{512, 2}}, {{512, 2}, {1024, 2}}}) {
      Chart chart{"Loss", "tokens", "nats", {}, {}, Scale::logarithmic, up};
      if (!points.empty()) chart.series.push_back({"model", "#000", points});
      const std::string picture = svg({chart}, "");
      CHECK(picture.find("nan") == picture.npos);
      CHECK(picture.find("inf") == picture.npos);
      CHECK(picture.ends_with("</svg>\n"));
    }
}
