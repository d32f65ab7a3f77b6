#include <doctest/doctest.h>

#include <rwkv/drawing/axis.hpp>

using drawing::Axis;
using drawing::Scale;

namespace {
/// The ticks of an axis as they are labelled.
std::string labels(Scale scale, double low, double high, std::size_t most = 8) {
  const Axis axis{scale, low, high, 0, 100};
  std::string all;
  for (const double tick : axis.ticks(most)) {
    CHECK(axis(tick) >= -0.01);
    CHECK(axis(tick) <= 100.01);
    all += (all.empty() ? "" : " ") + axis.label(tick);
  }
  return all;
}
}  // namespace

TEST_CASE("ticks of a logarithmic axis are 1, 2 and 5 times powers of ten, fewer on a long one") {
  CHECK(labels(Scale::logarithmic, 6144, 98304) == "10k 20k 50k");
  CHECK(labels(Scale::logarithmic, 102400, 1638400) == "200k 500k 1M");
  CHECK(labels(Scale::logarithmic, 1, 1000) == "1 10 100 1,000");
  CHECK(labels(Scale::logarithmic, 1000, 100000) == "1k 2k 5k 10k 20k 50k 100k");
  CHECK(labels(Scale::logarithmic, 1, 100) == "1 2 5 10 20 50 100");
  CHECK(labels(Scale::logarithmic, 1e-5, 10) == "10µ 100µ 1m 10m 100m 1 10");
  CHECK(labels(Scale::logarithmic, 1e-12, 1e12, 6) == "1e-10 10µ 1 100k 10G");
}

TEST_CASE("ticks of a short axis are multiples of a round number") {
  CHECK(labels(Scale::logarithmic, 128, 512) == "200 300 400 500");
  CHECK(labels(Scale::logarithmic, 512, 4096) == "1,000 2,000 3,000 4,000");
  CHECK(labels(Scale::linear, -0.05, 4) == "0 1 2 3 4");
  CHECK(labels(Scale::linear, 1.52, 2.61) == "1.6 1.8 2 2.2 2.4 2.6");
  CHECK(labels(Scale::linear, -1, 1) == "-1 -0.5 0 0.5 1");
}

TEST_CASE("ticks of a binary axis are powers of two, with their thousands set apart") {
  CHECK(labels(Scale::binary, 16, 2048) == "16 32 64 128 256 512 1,024 2,048");
  CHECK(labels(Scale::binary, 256, 1048576, 6) == "512 4,096 32,768 262,144");
}
