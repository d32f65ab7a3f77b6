#include <cstdio>

#include <rwkv/io/summary.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/sequential.hpp>

#include <doctest/doctest.h>

using namespace rwkv;

namespace {

struct Net : Sequential<Named<"ln", LayerNorm<4>>,
                        Named<"blocks", Repeat<12, Sequential<Named<"up", Linear<4, 8>>, Linear<8, 4>>>>> {};

}  // namespace

TEST_CASE("a summary lists every parameter once and counts all") {
  const std::string text = summary<Net, Cpu<float>>({.batch = 2, .time = 8});
  CHECK(
      text.starts_with("name                    shape   scalars  init        gain  decay  rate\n"
                       "ln.weight               (4)           4  ones           1  no        1\n"
                       "ln.bias                 (4)           4  zeros          0  no        1\n"
                       "blocks.0..11.up.weight  (8, 4)      384  orthogonal     1  yes       1\n"
                       "blocks.0..11.1.weight   (4, 8)      384  orthogonal     1  yes       1\n\n"
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

TEST_CASE("a summary asks types only, and no allocation") {
  struct Huge : Linear<1 << 20, 1 << 20> {};
  const std::string text = summary<Huge, Cpu<double>>();
  CHECK(text.find("parameters          1099511627776\n") != std::string::npos);
  CHECK(text.find("  gradients        8796093.022\n") != std::string::npos);
}
