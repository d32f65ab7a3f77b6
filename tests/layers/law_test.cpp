#include "laws.hpp"

#include <rwkv/layers/recompute.hpp>
#include <rwkv/layers/tied.hpp>
#include <rwkv/models/v4.hpp>

#include "signals.hpp"

using namespace rwkv;

namespace {
constexpr dim_t V = laws::Signal<Cpu<float>, Ids>::vocabulary;
using Net = v4::Model<V, 12, 2>;
using Shared = Tied<Named<"emb", Embedding<V, 12>>, Named<"ln", LayerNorm<12>>, Linear<12, V>>;
}  // namespace

// A new layer is one line here.
TYPE_TO_STRING(Net);
TYPE_TO_STRING(Shared);
#define LAYERS                                                                                                        \
  Linear<10, 7>, Embedding<V, 9>, LayerNorm<17>, v4::TimeMix<12>, v4::TimeMix<8, 20>, v4::ChannelMix<9>,                \
      v4::ChannelMix<12, 5>, v4::Block<16>, Residual<LayerNorm<5>>, Sequential<Linear<4, 6>, LayerNorm<6>, Linear<6, 3>>, \
      Repeat<3, v4::Block<8>>, Recompute<v4::Block<8>>, Repeat<2, Recompute<v4::Block<8>>>, laws::CarryNet, Shared, Net

TEST_CASE_TEMPLATE("layer laws", L, LAYERS) {
  laws::Draw draw;
  for (const Seq seq : {Seq{1, 1}, Seq{2, 5}, Seq{3, 37}}) {
    CAPTURE(seq.batch);
    CAPTURE(seq.time);
    laws::gradients_are_slopes<L>(seq, draw);
    laws::bundles_behave<L>(seq, draw);
    laws::threads_do_not_matter<L>(seq, draw);
  }
  laws::pieces_equal_whole<L, Cpu<double>>({2, 7}, {1, 1, 1, 1, 1, 1, 1}, 1e-12, draw);
  laws::pieces_equal_whole<L, Cpu<double>>({2, 71}, {33, 0, 1, 37}, 1e-12, draw);
  laws::pieces_equal_whole<L, Cpu<float>>({2, 71}, {40, 31}, 2e-5, draw);
  laws::pieces_equal_whole<L, Cpu<float>>({1, 9}, {1, 1, 1, 1, 1, 1, 1, 1, 1}, 2e-5, draw);
}
