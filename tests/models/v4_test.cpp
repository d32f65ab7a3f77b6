#include <doctest/doctest.h>

#include <cmath>

#include <rwkv/models/model.hpp>
#include <rwkv/models/v4.hpp>

using namespace rwkv;

// What the published checkpoints have.
static_assert(parameters<v4::Model<50277, 768, 12>>() == 169342464);
static_assert(parameters<v4::Model<50277, 1024, 24>>() == 430397440);
static_assert(state_units<v4::Model<50277, 768, 12>>() == 12 * 5 * 768);
static_assert(flops_per_token<v4::Model<96, 128, 4>>() == 4 * (2 * 13 * 128 * 128 + 16 * 128) + 2 * 96 * 128);
static_assert(cache_units<v4::TimeMix<8>>({1, 32}) == 8 + 32 * 8 * 9 + 3 * 8);

namespace {
using Net = v4::Model<96, 16, 3>;

template <class P>
const float* find(P& bundle, const std::string& name) {
  const float* found = nullptr;
  for_each_leaf(
      [&](const Path& path, auto&, auto& leaf) {
        if (path.name() == name) found = leaf.data;
      },
      bundle);
  REQUIRE_MESSAGE(found != nullptr, name);
  return found;
}
}  // namespace

TEST_CASE("initial values are the official trainer's") {
  Model<Net> model(11);
  auto& p = model.params.view();
  for (int l = 0; l < 3; ++l) {
    const std::string at = "blocks." + std::to_string(l) + ".att.", in = "blocks." + std::to_string(l) + ".ffn.";
    const double up = l / 2.0, down = 1 - l / 3.0;
    for (int i = 0; i < 16; ++i) {
      const double d = i / 16.0, n = i / 15.0;
      CHECK(find(p, at + "time_decay")[i] == doctest::Approx(-5 + 8 * std::pow(n, 0.7 + 1.3 * up)));
      CHECK(find(p, at + "time_first")[i] == doctest::Approx(std::log(0.3) + 0.5 * ((i + 1) % 3 - 1)));
      CHECK(find(p, at + "time_mix_k")[i] == doctest::Approx(std::pow(d, down)));
      CHECK(find(p, at + "time_mix_v")[i] == doctest::Approx(std::pow(d, down) + 0.3 * up));
      CHECK(find(p, at + "time_mix_r")[i] == doctest::Approx(std::pow(d, down / 2)));
      CHECK(find(p, in + "time_mix_k")[i] == doctest::Approx(std::pow(d, down)));
      CHECK(find(p, in + "time_mix_r")[i] == doctest::Approx(std::pow(d, down)));
      CHECK(find(p, at + "key.weight")[i] == 0);
      CHECK(find(p, in + "value.weight")[i] == 0);
    }
  }
  for (int i = 0; i < 96 * 16; ++i) CHECK(std::abs(find(p, "emb.weight")[i]) <= 6e-4f);
  CHECK(find(p, "blocks.0.ln0.weight")[3] == 1);
}

TEST_CASE("orthogonal weights have orthogonal columns of the right length") {
  Model<Net> model(11);
  auto& p = model.params.view();
  const auto check = [&](const std::string& name, int rows, int columns, double length) {
    const float* w = find(p, name);
    for (int a = 0; a < columns; ++a)
      for (int b = 0; b <= a; ++b) {
        double dot = 0;
        for (int r = 0; r < rows; ++r) dot += double(w[r * columns + a]) * double(w[r * columns + b]);
        CHECK(dot == doctest::Approx(a == b ? length * length : 0).epsilon(1e-5));
      }
  };
  check("blocks.1.att.value.weight", 16, 16, 1);
  check("blocks.2.ffn.key.weight", 64, 16, 2);
  check("head.weight", 96, 16, 0.5 * std::sqrt(96.0 / 16));
}

TEST_CASE("one seed is one model, on any machine and with any number of threads") {
  set_threads(1);
  const Model<Net> one(11);
  set_threads(3);
  const Model<Net> many(11);
  set_threads(0);
  CHECK(one.params == many.params);
  CHECK(one.params != Model<Net>(12).params);
  // Integers, a power of two and two roundings: a number to the last bit, worked out elsewhere.
  auto& p = one.params.view();
  CHECK(find(p, "emb.weight")[0] == 0x1.d3983a0000000p-13f);
}

TEST_CASE("a fresh state remembers nothing") {
  const auto state = Model<Net>::fresh_state(2);
  CHECK(find(state.view(), "blocks.1.att.wkv")[0] == 0);
  CHECK(find(state.view(), "blocks.1.att.wkv")[16] == 0);
  CHECK(find(state.view(), "blocks.1.att.wkv")[2 * 16] == -1e38f);
  CHECK(find(state.view(), "blocks.1.att.wkv")[5 * 16 + 15] == -1e38f);
  CHECK(find(state.view(), "blocks.2.ffn.last")[0] == 0);
}
