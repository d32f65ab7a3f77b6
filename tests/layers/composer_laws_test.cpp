#include "laws.hpp"
#include "signals.hpp"

#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/recompute.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/tied.hpp>

using namespace rwkv;

namespace {
constexpr dim_t V = laws::vocabulary;
using Shared = Tied<Named<"emb", Embedding<V, 12>>, Named<"ln", LayerNorm<12>>, Linear<12, V>>;
}  // namespace

// A new composer is one line here.
#define COMPOSERS                                                               \
  Residual<LayerNorm<5>>, Sequential<Linear<4, 6>, LayerNorm<6>, Linear<6, 3>>, \
      Repeat<2, Recompute<Residual<Linear<5, 5>>>>, laws::CarryNet, Shared

TEST_CASE_TEMPLATE("composers keep the laws", L, COMPOSERS) {
  laws::hold<L>();
}

TEST_CASE("a tied weight is one leaf: counted once, saved once") {
  static_assert(parameters<Shared>() == V * 12 + 2 * 12);
  Owned<Cpu<double>, Shared::Params<Cpu<double>>> params;
  std::string names;
  for (const Leaf& leaf : params.leaves()) names += leaf.name + " ";
  CHECK(names == "emb.weight ln.weight ln.bias ");
}

TEST_CASE("unnamed layers are called by their place") {
  using Net = Sequential<Linear<4, 6>, Named<"middle", Linear<6, 6>>, Repeat<2, Residual<Linear<6, 6>>>, Linear<6, 3>>;
  Owned<Cpu<double>, Net::Params<Cpu<double>>> params;
  std::string names;
  for (const Leaf& leaf : params.leaves()) names += leaf.name + " ";
  CHECK(names == "0.weight middle.weight 0.0.weight 1.0.weight 3.weight ");
}
