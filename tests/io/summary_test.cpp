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

TEST_CASE("a summary asks types only, and no allocation") {
  struct Huge : Linear<1 << 20, 1 << 20> {};
  const std::string text = summary<Huge, Cpu<double>>();
  CHECK(text.find("parameters          1099511627776\n") != std::string::npos);
  CHECK(text.find("  gradients        8796093.022\n") != std::string::npos);
}
