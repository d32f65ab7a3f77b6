#include <cstdio>
#include <limits>

#include <rwkv/io/summary.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/sequential.hpp>
#include <rwkv/ops/weight_format.hpp>

#include <doctest/doctest.h>

#include "../core/decimal_comma.hpp"

using namespace rwkv;

namespace {

struct Net : Sequential<Named<"ln", LayerNorm<4>>,
                        Named<"blocks", Repeat<12, Sequential<Named<"up", Linear<4, 8>>, Linear<8, 4>>>>> {};

}  // namespace

TEST_CASE("a summary lists every parameter once and counts all") {
  const std::string text = summary<Net, Cpu<float>>({.batch = 2, .time = 8});
  CHECK(
      text.starts_with("name                    shape   scalars  stored  init        gain  decay  rate\n"
                       "ln.weight               (4)           4  F32     ones           1  no        1\n"
                       "ln.bias                 (4)           4  F32     zeros          0  no        1\n"
                       "blocks.0..11.up.weight  (8, 4)      384  F32     orthogonal     1  yes       1\n"
                       "blocks.0..11.1.weight   (4, 8)      384  F32     orthogonal     1  yes       1\n\n"
                       "parameters          776\n"
                       "state per sequence  0 scalars, 0 bytes\n\n"
                       "memory in MB for batch 2, time 8\n"
                       "  parameters             0.003\n"
                       "  gradients              0.003\n"
                       "  moments                0.006\n"));
  const dim_t all = 4 * 776 + cache_units<Net>({2, 8}) + state_units<Net>();
  char total[64];
  std::snprintf(total, sizeof total, "  total           %12.3f\n", double(all) * 4e-6);
  CHECK(text.ends_with(total));
  CHECK(text == summary(Model<Net>(), {2, 8}));
}

TEST_CASE("a summary is the same in a locale of decimal commas") {
  const std::string text = summary<Net>({2, 8});
  const test::DecimalComma comma;
  CHECK(summary<Net>({2, 8}) == text);
}

TEST_CASE("a summary in bf16 counts what is shortened and what is not") {
  const std::string text = summary<Net, Cpu<bf16>>({.batch = 2, .time = 8});
  const auto row = [](const char* name, dim_t bytes) {
    char line[64];
    std::snprintf(line, sizeof line, "  %-16s%12.3f\n", name, double(bytes) * 1e-6);
    return std::string(line);
  };
  const dim_t statistics = 2 * 16, activations = 2 * (cache_units<Net>({2, 8}) - statistics) + 4 * statistics;
  CHECK_MESSAGE(text.ends_with(row("parameters", 2 * 776) + row("master copy", 4 * 776) + row("gradients", 4 * 776) +
                               row("moments", 8 * 776) + row("activations", activations) + row("state", 0) +
                               row("total", 18 * 776 + activations)),
                text);
}

TEST_CASE("a summary says how matrices are stored, and what is not trained") {
  using B = Cpu<float>;
  const WeightFormat<B>* const half = &stored_as<B, bf16>;
  const Owned<B, Net::Params<B>> params({}, {.formats = {{"blocks.3.up.weight", half}, {"blocks.11.1.weight", half}}});
  auto leaves = params.leaves();
  leaves[0].trained = false;
  const auto rows = detail::summary_rows(leaves);
  REQUIRE(rows.size() == 5);
  CHECK(rows[1].back() == "fixed");
  CHECK(rows[2][3] == "F32");
  CHECK(rows[3][3] == "mixed");
  CHECK(rows[4][3] == "mixed");
}

TEST_CASE("a summary lists stacks of stacks, each block of the outer one by itself") {
  struct Inner : Sequential<LayerNorm<2>, Named<"in", Repeat<3, Sequential<Named<"up", Linear<2, 2>>>>>> {};
  struct Outer : Sequential<Named<"out", Repeat<2, Inner>>, Named<"tail", Repeat<3, Sequential<Linear<2, 2>>>>> {};
  std::string names;
  for (const auto& row : detail::summary_rows(list_leaves<Cpu<float>, Outer::Params<Cpu<float>>>()))
    names += row[0] + " " + row[2] + "; ";
  CHECK(names ==
        "name scalars; out.0.0.weight 2; out.0.0.bias 2; out.0.in.0..2.up.weight 12; "
        "out.1.0.weight 2; out.1.0.bias 2; out.1.in.0..2.up.weight 12; tail.0..2.0.weight 12; ");
}

TEST_CASE("a summary asks types only, and no allocation") {
  struct Huge : Linear<1 << 20, 1 << 20> {};
  const std::string text = summary<Huge, Cpu<double>>();
  CHECK(text.find("parameters          1099511627776\n") != std::string::npos);
  CHECK(text.find("  gradients        8796093.022\n") != std::string::npos);
}

TEST_CASE("a summary refuses sizes that are none or that 64 bits cannot count") {
  struct Net : Linear<64, 64> {};
  CHECK(summary<Net>({1 << 20, 1 << 20}).find("  activations     281474976.711\n") != std::string::npos);
  CHECK_THROWS_WITH_AS(summary<Net>({2, -4}), doctest::Contains("found batch 2 and time -4"), Error);
  constexpr dim_t most = std::numeric_limits<dim_t>::max();
  for (const Seq huge : {Seq{1 << 20, dim_t{1} << 35}, Seq{1, dim_t{1} << 62}, Seq{most, most}, Seq{1, most}})
    CHECK_THROWS_WITH_AS(summary<Net>(huge), doctest::Contains("whose memory 64 bits can count"), Error);
}
