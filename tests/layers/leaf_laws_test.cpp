#include "laws.hpp"

#include <rwkv/layers/activation.hpp>
#include <rwkv/layers/affine.hpp>
#include <rwkv/layers/dropout.hpp>
#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/multi_head_attention.hpp>
#include <rwkv/layers/position_embedding.hpp>
#include <rwkv/layers/v1/channel_mix.hpp>
#include <rwkv/layers/v1/time_mix.hpp>
#include <rwkv/layers/v4/channel_mix.hpp>
#include <rwkv/layers/v4/time_mix.hpp>

using namespace rwkv;

// A new layer is one line here.
#define LAYERS                                                                                                   \
  Linear<10, 7>, Embedding<laws::vocabulary, 9>, LayerNorm<17>, v4::TimeMix<12>, v4::TimeMix<8, 20>,             \
      v4::ChannelMix<9>, v4::ChannelMix<12, 5>, Affine<10, 7>, Gelu<13>, Relu<13>, SquaredRelu<13>, Sigmoid<13>, \
      Tanh<13>, Silu<13>, Dropout<13, 20>, PositionEmbedding<256, 9>, MultiHeadAttention<12, 3, 5>,              \
      MultiHeadAttention<8, 2, 128>, MultiHeadAttention<10, 1, 33, gpt2::SeparateWeights<10>>,                   \
      MultiHeadAttention<6, 6, 1>
// Those that drop in training.
#define DROPPING Dropout<13, 20>, MultiHeadAttention<12, 3, 50, gpt2::FusedWeights<12>, 30>

// A window as state, so that time stays below it; the parity mode may overflow.
#define FIRST_FORM                                                                       \
  v1::TimeMix<10, 3, 5, 256, activation::Silu>, v1::ChannelMix<10, 7, activation::Relu>, \
      v1::ChannelMix<9, 12, activation::Silu>

TEST_CASE_TEMPLATE("layers keep the laws", L, LAYERS) {
  laws::hold<L>();
}
TEST_CASE_TEMPLATE("the study's layers keep the laws", L, FIRST_FORM) {
  laws::hold<L>();
}
TEST_CASE("the study's mixing keeps the laws in its parity mode") {
  testing::expect(testing::check_laws<v1::TimeMix<9, 2, 8, 256, activation::Relu, v1::Parity>>());
}
TEST_CASE_TEMPLATE("layers keep the laws in training, where they drop", L, DROPPING) {
  laws::hold<L>({.bounded = true, .dropout = true});
}
