#pragma once
#include <rwkv/layers/activation.hpp>
#include <rwkv/layers/affine.hpp>
#include <rwkv/layers/dropout.hpp>
#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/multi_head_attention.hpp>
#include <rwkv/layers/position_embedding.hpp>
#include <rwkv/layers/recompute.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/sequential.hpp>
#include <rwkv/layers/tied.hpp>
#include <rwkv/models/families.hpp>

#include "carry_net.hpp"
#include "list.hpp"

namespace every {
using namespace rwkv;
inline constexpr dim_t V = vocabulary;

using Shared = Tied<Named<"emb", Embedding<V, 12>>, Named<"ln", LayerNorm<12>>, Linear<12, V>>;
/// Draws its dropout twice, forwards and backwards: the same.
struct DroppedAgain : Sequential<Recompute<gpt2::study::Block<12, 2, 256, 20>>, Dropout<12, 40>> {};

// clang-format off

/// Layers that take kernels which no model of the list takes.
using BesideModels = List<
    Line<MultiHeadAttention<16, 2, 40>>,  // on tensor cores
    Line<v4::TimeMix<8, 24, OverTime::scan>>,
    Line<v6::TimeMix<10, 5, 2, 3, wkv6::OverTime::sequential>>,
    Line<v7::TimeMix<v7::Widths<10, 5, 3, 2, 4, 6>, false, wkv7::OverTime::sequential>>,
    Line<Recompute<v4::Block<8>>>>;

/// Every layer and composer. A new one is a line here.
using Layers = decltype(BesideModels() + List<
    Line<Linear<10, 7>>,
    Line<Affine<24, 8>>,
    Line<Embedding<V, 9>>,
    Line<PositionEmbedding<256, 9>>,
    Line<LayerNorm<17>>,
    Line<Gelu<21>>,
    Line<Relu<21>>,
    Line<SquaredRelu<21>>,
    Line<Sigmoid<21>>,
    Line<Tanh<21>>,
    Line<Silu<21>>,
    Line<Dropout<13, 20>, Traits{.dropout = true}>,
    Line<v4::TimeMix<12>>,
    Line<v4::TimeMix<8, 20>>,
    Line<v4::ChannelMix<9>>,
    Line<v4::ChannelMix<12, 5>>,
    Line<v4::Block<16>>,
    Line<v5::TimeMix<12, 4>>,
    Line<v5::TimeMix<10, 5, v5::Kind::v5_1>>,
    Line<v5::TimeMix<8, 8, v5::Kind::v5_0>>,
    Line<v6::TimeMix<12, 6, 3, 2>>,
    Line<v6::ChannelMix<9, 12>>,
    Line<v7::TimeMix<v7::Widths<12, 4, 3, 5, 2, 6>, true>>,
    Line<v7::TimeMix<v7::Widths<16, 16, 1, 2, 3, 4>, false>>,
    Line<v7::ChannelMix<9, 12>>,
    Line<MultiHeadAttention<12, 3, 5>>,
    Line<MultiHeadAttention<8, 2, 128>>,
    Line<MultiHeadAttention<10, 1, 33, gpt2::SeparateWeights<10>>>,
    Line<MultiHeadAttention<6, 6, 1>>,
    Line<MultiHeadAttention<12, 3, 50, gpt2::FusedWeights<12>, 30>, Traits{.dropout = true}>,
    Line<gpt2::Block<8, 2, 20>>,
    Line<v1::TimeMix<10, 3, 5, 256, activation::Silu>>,
    Line<v1::TimeMix<9, 2, 8, 256, activation::Relu, v1::Parity>, Traits{.bounded = false, .reduced_precision = false}>,
    Line<v1::ChannelMix<10, 7, activation::Relu>>,
    Line<v1::ChannelMix<9, 12, activation::Silu>>,
    Line<Residual<LayerNorm<5>>>,
    Line<Sequential<Linear<4, 6>, LayerNorm<6>, Linear<6, 3>>>,
    Line<Repeat<2, Recompute<Residual<Linear<5, 5>>>>>,
    Line<Shared>,
    Line<CarryNet>,
    Line<DroppedAgain, Traits{.dropout = true}>>());

using SmallV7 = Line<v7::Model<vocabulary, 12, 3, 6, 3, 2, 4, 5>>;
using SmallGpt2 = Line<gpt2::Model<vocabulary, 12, 2, 3, 256>>;

/// Every model, small. A new version is a line here.
using Models = List<
    Line<v4::Model<vocabulary, 12, 2>>,
    Line<v5::Model<vocabulary, 12, 2, 4>>,
    Line<v6::Model<vocabulary, 12, 2, 4, 3, 2>>,
    SmallV7,
    Line<v1::Model<vocabulary, 12, 2, 2, 6, 12, 256>>,
    SmallGpt2,
    Line<gpt2::study::Model<vocabulary, 12, 2, 6, 256>>,
    Line<gpt2::Model<vocabulary, 12, 1, 3, 256, 10>, Traits{.dropout = true}>>;

// clang-format on

/// Models that take every product that a machine may be asked for.
using Products = List<SmallV7, SmallGpt2>;

}  // namespace every
