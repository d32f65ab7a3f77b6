#include <rwkv/models/model.hpp>
#include <rwkv/models/v7.hpp>

#include <doctest/doctest.h>

using namespace rwkv;

// Ranks as the official trainer chooses them: a half goes to an even multiple of 32.
static_assert(v7::rank(2.5, 768) == 64 && v7::rank(1.7, 768) == 32 && v7::rank(5, 768) == 128);
static_assert(v7::rank(2.5, 1024) == 64 && v7::rank(2.5, 2048) == 128 && v7::rank(1.7, 2048) == 64);
static_assert(v7::rank(5, 2048) == 224 && v7::rank(2.5, 16) == 32);

// Released sizes.
template <dim_t Width, int Layers, dim_t W, dim_t A, dim_t V, dim_t G>
constexpr dim_t released() {
  return parameters<v7::Model<65536, Width, Layers, 64, W, A, V, G>>();
}
static_assert(released<768, 12, 64, 64, 32, 128>() == 191034624);    // 0.1B
static_assert(released<1024, 24, 64, 64, 32, 128>() == 450767872);   // 0.4B
static_assert(released<2048, 24, 96, 96, 64, 256>() == 1527404544);  // 1.5B
static_assert(released<2560, 32, 96, 96, 64, 320>() == 2947735040);  // 2.9B

namespace {
/// A parameter's initial values, without those of all others.
template <class Net>
std::vector<float> initial(const std::string& name) {
  using B = Cpu<float>;
  for (const Leaf& leaf : list_leaves<B, typename Net::template Params<B>>())
    if (leaf.name == name) {
      std::vector<float> values(static_cast<std::size_t>(leaf.size));
      leaf.field.init.fill({leaf.rows(), leaf.columns(), leaf.layer, leaf.layers, Random{1}}, leaf.field.init.gain,
                           values);
      return values;
    }
  FAIL("there is no ", name);
  return {};
}
}  // namespace

TEST_CASE("initial values of an RWKV-7 of 12 blocks and 768 channels are the official trainer's") {
  const struct {
    const char* name;
    std::size_t i;
    double value;
  } golden[] = {{"blocks.0.att.w0", 0, -8},          {"blocks.0.att.w0", 1, -7.835967},
                {"blocks.0.att.w0", 63, -2.507171},  {"blocks.0.att.w0", 64, -7.499348},
                {"blocks.0.att.w0", 767, 3},         {"blocks.0.att.x_r", 1, 0.735194},
                {"blocks.0.ffn.x_k", 1, 0.998698},   {"blocks.0.att.ln_x.weight", 5, 0.175620},
                {"blocks.5.att.w0", 1, -7.843748},   {"blocks.5.att.w0", 63, -2.931469},
                {"blocks.5.att.w0", 64, -7.929511},  {"blocks.5.att.x_r", 1, 0.539346},
                {"blocks.5.ffn.x_k", 1, 0.536652},   {"blocks.5.att.ln_x.weight", 0, 0.615572},
                {"blocks.11.att.w0", 63, -2.959520}, {"blocks.11.att.w0", 64, -7.958225},
                {"blocks.11.att.x_r", 1, 0.104819},  {"blocks.11.ffn.x_k", 1, 0.000320},
                {"blocks.3.att.a0", 0, -0.69},       {"blocks.3.att.a0", 767, 0.31},
                {"blocks.3.att.v0", 0, 0.93},        {"blocks.3.att.k_k", 0, 0.76},
                {"blocks.3.att.k_a", 9, 1.02},       {"blocks.3.att.r_k", 9, -0.04},
                {"blocks.3.att.w1", 9, 0},           {"blocks.3.att.output.weight", 9, 0}};
  for (const auto& one : golden)  // which are given to six places
    CHECK_MESSAGE(std::abs(double(initial<v7::Model<16, 768, 12>>(one.name)[one.i]) - one.value) < 1.1e-6, one.name,
                  " ", one.i);
}

TEST_CASE("the first block of an RWKV-7 has no share of earlier values, and w0 learns twice as fast") {
  using Params = v7::Model<16, 128, 2>::Params<Cpu<float>>;
  for (const Leaf& leaf : list_leaves<Cpu<float>, Params>()) {
    CHECK(leaf.name.find("blocks.0.att.v0") == std::string::npos);
    CHECK(leaf.name.find("blocks.0.att.v1") == std::string::npos);
    const bool decay = leaf.name.ends_with("att.w0");
    CHECK_MESSAGE(leaf.field.lr_scale == (decay ? 2 : 1), leaf.name);
    const bool matrix = leaf.name.ends_with(".weight") && leaf.name.find("ln") == std::string::npos;
    CHECK_MESSAGE(leaf.field.decays == matrix, leaf.name);
  }
}
