#pragma once
#include <rwkv/layers/activation.hpp>
#include <rwkv/layers/affine.hpp>
#include <rwkv/layers/dropout.hpp>
#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/last_token.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/multi_head_attention.hpp>
#include <rwkv/layers/position_embedding.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/models/family.hpp>

namespace rwkv::gpt2::study {

template <dim_t C>
struct FeedForward : Sequential<Affine<C, 4 * C, weight>, Relu<4 * C>, Affine<4 * C, C, weight>> {};

template <dim_t C, int Heads, dim_t Context, int Drop>
struct Attention : MultiHeadAttention<C, Heads, Context, SeparateWeights<C>, Drop> {};

template <dim_t C, int Heads, dim_t Context, int Drop>
struct Block
    : Sequential<Residual<Named<"ln1", LayerNorm<C>>, Dropped<Drop, Named<"sa", Attention<C, Heads, Context, Drop>>>>,
                 Residual<Named<"ln2", LayerNorm<C>>, Dropped<Drop, Named<"ffwd.net", FeedForward<C>>>>> {};

namespace detail {
inline NetShape shape_of(const ExtentsOf& parameters) {
  return rwkv::detail::transformer_shape(parameters, "token_embedding_table.weight", "position_embedding_table.weight",
                                         "blocks.", ".ln1.weight");
}
inline std::string type_of(const NetShape& shape) {
  return rwkv::detail::transformer_type("gpt2::study::Model", shape);
}
}  // namespace detail
inline constexpr Family family{"study-gpt", 0.95, &detail::shape_of, &detail::type_of};

/// The transformer that the seed study compared RWKV with, under its notebook's names: ReLU, an untied head with bias,
/// all weights N(0, 0.02). The study's own: Model<56, 768, 12, 64, 256>. Drop of 100 numbers are dropped in
/// training: weights of attention, and what attention and the feed-forward part add to the residual stream.
template <dim_t Vocab, dim_t Width, int Layers, int Heads, dim_t Context, int Drop = 20>
struct Model : Sequential<Named<"token_embedding_table", Embedding<Vocab, Width, weight>>,
                          Named<"position_embedding_table", PositionEmbedding<Context, Width, weight>>,
                          Named<"blocks", Repeat<Layers, Block<Width, Heads, Context, Drop>>>,  //
                          Named<"ln_f", LayerNorm<Width>>, Named<"lm_head", LastToken<Affine<Width, Vocab, weight>>>> {
  static constexpr dim_t context = Context;
  static constexpr const Family& family = study::family;
};

}  // namespace rwkv::gpt2::study
