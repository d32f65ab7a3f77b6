#pragma once
#include <rwkv/layers/activation.hpp>
#include <rwkv/layers/affine.hpp>
#include <rwkv/layers/dropout.hpp>
#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/last_token.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/multi_head_attention.hpp>
#include <rwkv/layers/position_embedding.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/tied.hpp>
#include <rwkv/models/family.hpp>

namespace rwkv::gpt2 {

template <dim_t C>
struct Mlp : Sequential<Named<"c_fc", Affine<C, 4 * C, weight>>, Gelu<4 * C>,  //
                        Named<"c_proj", Affine<4 * C, C, residual>>> {};

template <dim_t C, int Heads, dim_t Context, int Drop>
struct Attention : MultiHeadAttention<C, Heads, Context, FusedWeights<C>, Drop> {};

template <dim_t C, int Heads, dim_t Context, int Drop = 0>
struct Block
    : Sequential<
          Residual<Named<"ln_1", LayerNorm<C>>, Dropped<Drop, Named<"attn", Attention<C, Heads, Context, Drop>>>>,
          Residual<Named<"ln_2", LayerNorm<C>>, Dropped<Drop, Named<"mlp", Mlp<C>>>>> {};

/// What stands between the table of tokens and its second use as the head.
template <dim_t Width, int Layers, int Heads, dim_t Context, int Drop>
struct Body : Sequential<Dropped<Drop, Named<"transformer.wpe", PositionEmbedding<Context, Width, weight>>>,
                         Named<"transformer.h", Repeat<Layers, Block<Width, Heads, Context, Drop>>>,
                         Named<"transformer.ln_f", LayerNorm<Width>>> {};

namespace detail {
inline NetShape shape_of(const ExtentsOf& parameters) {
  return rwkv::detail::transformer_shape(parameters, "transformer.wte.weight", "transformer.wpe.weight",
                                         "transformer.h.", ".ln_1.weight");
}
inline std::string type_of(const NetShape& shape) {
  return rwkv::detail::transformer_type("gpt2::Model", shape);
}
}  // namespace detail
inline constexpr Family family{"gpt2", 0.95, &detail::shape_of, &detail::type_of};

/// GPT-2 (Radford et al. 2019) as nanoGPT builds it, under the names of its checkpoints: learned positions, layer
/// norms before attention and MLP, the head tied to the embedding. Context: the most tokens of a sequence. Drop of 100
/// numbers are dropped in training: of the embeddings, attention's weights, and what a block adds to the residual
/// stream.
template <dim_t Vocab, dim_t Width, int Layers, int Heads, dim_t Context, int Drop = 0>
struct Model : Tied<Named<"transformer.wte", Embedding<Vocab, Width, weight>>,
                    Body<Width, Layers, Heads, Context, Drop>, LastToken<Linear<Width, Vocab>>> {
  static constexpr dim_t context = Context;
  static constexpr const Family& family = gpt2::family;
};

}  // namespace rwkv::gpt2
