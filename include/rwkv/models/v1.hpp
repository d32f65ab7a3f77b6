#pragma once
#include <rwkv/layers/affine.hpp>
#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/last_token.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/sequential.hpp>
#include <rwkv/layers/v1/channel_mix.hpp>
#include <rwkv/layers/v1/time_mix.hpp>
#include <rwkv/models/family.hpp>

namespace rwkv::v1 {

template <dim_t C, int H, dim_t D, dim_t F, dim_t Window, class Activation, template <dim_t, dim_t> class Mode>
struct Block
    : Sequential<
          Residual<Named<"Layer_Norm1", LayerNorm<C>>, Named<"timemix", TimeMix<C, H, D, Window, Activation, Mode>>>,
          Residual<Named<"Layer_Norm2", LayerNorm<C>>, Named<"channelmix", ChannelMix<C, F, Activation>>>> {};

template <dim_t C, dim_t Vocab>
struct Head
    : Sequential<Named<"Layer_Norm", LayerNorm<C>>, Named<"output", Affine<C, Vocab, linear_weight, LinearBias<C>>>> {};

namespace detail {
inline NetShape shape_of(const ExtentsOf& parameters) {
  const auto table = parameters("embedding.weight"), w = parameters("blocks.0.timemix.time_w"),
             key = parameters("blocks.0.channelmix.Key.weight");
  if (table.size() != 2 || w.size() != 2 || key.size() != 2) return {};
  const dim_t layers = rwkv::detail::count_blocks(parameters, "blocks.", ".Layer_Norm1.weight");
  return {table[0], table[1], layers, w[0], key[0], w[1]};
}
/// With the usual activation and heads as wide as what is inside channel mixing: no file says more.
inline std::string type_of(const NetShape& s) {
  const dim_t heads = s.heads ? s.heads : 2, hidden = s.hidden ? s.hidden : s.width;
  return rwkv::detail::type_text("v1::Model", {s.vocabulary, s.width, s.layers, heads, hidden, hidden, s.context});
}
}  // namespace detail
inline constexpr Family family{"rwkv1", 0.99, &detail::shape_of, &detail::type_of};

/// The RWKV of the seed study, an early form with weights for every place of a window instead of a state, under its
/// notebook's names. HeadWidth is that of each head, Hidden the width inside channel mixing, Activation (Silu or Relu)
/// that of the shifted tokens. The study's own: Model<56, 384, 12, 12, 384, 384, 256, activation::Silu, Parity>.
template <dim_t Vocab, dim_t Width, int Layers, int Heads, dim_t HeadWidth, dim_t Hidden, dim_t Window,
          class Activation = activation::Silu, template <dim_t, dim_t> class Mode = Safe>
struct Model
    : Sequential<Named<"embedding", Embedding<Vocab, Width, embedding>>, Named<"Layer_Norm", LayerNorm<Width>>,  //
                 Named<"blocks", Repeat<Layers, Block<Width, Heads, HeadWidth, Hidden, Window, Activation, Mode>>>,
                 Named<"lm_head", LastToken<Head<Width, Vocab>>>> {
  static constexpr dim_t context = Window;
  static constexpr const Family& family = v1::family;
};

}  // namespace rwkv::v1
