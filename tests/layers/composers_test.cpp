#include <doctest/doctest.h>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/testing/layer_run.hpp>

#include "../every/lists.hpp"

using namespace rwkv;

namespace {
constexpr dim_t V = every::vocabulary;
/// The same net with and without its activations: Recompute must not change a bit.
template <template <class...> class Wrap>
struct Net : Sequential<Named<"emb", Embedding<V, 12>>, Named<"blocks", Repeat<2, Wrap<v4::Block<12>>>>,
                        Named<"head", Linear<12, V>>> {};
}  // namespace

TEST_CASE("recomputing changes memory, not a bit of the result") {
  using Plain = Net<Sequential>;
  using Lean = Net<Recompute>;
  static_assert(cache_units<Lean>({8, 256}) < cache_units<Plain>({8, 256}) / 4);
  const testing::LayerRun<Plain, Cpu<float>> plain;
  const testing::LayerRun<Lean, Cpu<float>> lean;
  const auto operands = plain.operands({7, {2, 40}, {40}}, {.vocabulary = V});
  const auto a = plain.both_ways(operands), b = lean.both_ways(operands);
  CHECK(plain.initial_parameters(7).values == lean.initial_parameters(7).values);
  CHECK(a.y.values == b.y.values);
  CHECK(a.dparams.values == b.dparams.values);
  CHECK(a.state.values == b.state.values);
  CHECK(a.dstate.values == b.dstate.values);
}

TEST_CASE("a tied weight is one leaf: counted once, saved once") {
  using every::Shared;
  static_assert(parameters<Shared>() == V * 12 + 2 * 12);
  Owned<Cpu<double>, Shared::Params<Cpu<double>>> params;
  std::string names;
  for (const Leaf& leaf : params.leaves()) names += leaf.name + " ";
  CHECK(names == "emb.weight ln.weight ln.bias ");
}

TEST_CASE("unnamed layers are called by their place") {
  using Nameless =
      Sequential<Linear<4, 6>, Named<"middle", Linear<6, 6>>, Repeat<2, Residual<Linear<6, 6>>>, Linear<6, 3>>;
  Owned<Cpu<double>, Nameless::Params<Cpu<double>>> params;
  std::string names;
  for (const Leaf& leaf : params.leaves()) names += leaf.name + " ";
  CHECK(names == "0.weight middle.weight 0.0.weight 1.0.weight 3.weight ");
}
