#include "laws.hpp"

#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/v4/channel_mix.hpp>
#include <rwkv/layers/v4/time_mix.hpp>

using namespace rwkv;

// A new layer is one line here.
#define LAYERS                                                                                       \
  Linear<10, 7>, Embedding<laws::vocabulary, 9>, LayerNorm<17>, v4::TimeMix<12>, v4::TimeMix<8, 20>, \
      v4::ChannelMix<9>, v4::ChannelMix<12, 5>

TEST_CASE_TEMPLATE("layers keep the laws", L, LAYERS) {
  laws::hold<L>();
}
