#pragma once
#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/last_token.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/place.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/stream_only.hpp>
#include <rwkv/layers/v7/channel_mix.hpp>
#include <rwkv/layers/v7/time_mix.hpp>
#include <rwkv/models/family.hpp>

namespace rwkv::v7 {

namespace detail {
template <dim_t C>
using Tokens = Shape<Batch, Time, C>;
template <dim_t C, dim_t F>
using Feed = Residual<StreamOnly<Tokens<C>, Named<"ln2", LayerNorm<C>>, Named<"ffn", ChannelMix<C, F>>>>;
}  // namespace detail

/// The block whose values are carried to all others.
template <class Sizes, dim_t F>
struct FirstBlock : Sequential<Residual<Named<"ln1", LayerNorm<Sizes::C>>, Named<"att", TimeMix<Sizes, true>>>,
                               detail::Feed<Sizes::C, F>> {};
template <class Sizes, dim_t F>
struct Block : Sequential<Residual<StreamOnly<detail::Tokens<Sizes::C>, Named<"ln1", LayerNorm<Sizes::C>>>,
                                   Named<"att", TimeMix<Sizes, false>>>,
                          detail::Feed<Sizes::C, F>> {};

namespace detail {
inline NetShape shape_of(const ExtentsOf& parameters) {
  const auto table = parameters("emb.weight"), key = parameters("blocks.0.ffn.key.weight"),
             heads = parameters("blocks.0.att.r_k");
  if (table.size() != 2 || key.size() != 2 || heads.size() != 2) return {};
  const dim_t layers = rwkv::detail::count_blocks(parameters, "blocks.", ".ln1.weight");
  const auto rank = [&](const char* name) {
    const auto factor = parameters(name);
    return factor.size() == 2 ? factor[1] : 0;
  };
  return {
      .vocabulary = table[0],
      .width = table[1],
      .layers = layers,
      .heads = heads[0],
      .hidden = key[0],
      .ranks = {rank("blocks.0.att.w1"), rank("blocks.0.att.a1"), rank("blocks.1.att.v1"), rank("blocks.0.att.g1")}};
}
inline std::string type_of(const NetShape& s) {
  const dim_t head = s.heads > 0 ? s.width / s.heads : 64, hidden = s.hidden > 0 ? s.hidden : 4 * s.width;
  const std::array usual{rank(2.5, s.width), rank(2.5, s.width), rank(1.7, s.width), rank(5, s.width)};
  const auto ranks = s.ranks[0] > 0 ? s.ranks : usual;
  if (hidden != 4 * s.width)
    return rwkv::detail::type_text(
        "v7::Model", {s.vocabulary, s.width, s.layers, head, ranks[0], ranks[1], ranks[2], ranks[3], hidden});
  if (ranks != usual)
    return rwkv::detail::type_text("v7::Model",
                                   {s.vocabulary, s.width, s.layers, head, ranks[0], ranks[1], ranks[2], ranks[3]});
  if (head != 64) return rwkv::detail::type_text("v7::Model", {s.vocabulary, s.width, s.layers, head});
  return rwkv::detail::type_text("v7::Model", {s.vocabulary, s.width, s.layers});
}
}  // namespace detail
inline constexpr Family family{"rwkv7", 0.99, &detail::shape_of, &detail::type_of, 1e-18};

/// RWKV-7 "Goose" (Peng et al. 2025, arXiv 2503.14456), with the parameter names of official checkpoints. W, A, V and G
/// are the ranks of its low-rank products, Hidden the width inside channel mixing.
template <dim_t Vocab, dim_t Width, int Layers, dim_t HeadSize = 64, dim_t W = rank(2.5, Width),
          dim_t A = rank(2.5, Width), dim_t V = rank(1.7, Width), dim_t G = rank(5, Width), dim_t Hidden = 4 * Width>
struct Model : Sequential<Named<"emb", Embedding<Vocab, Width, init::uniform_tiny>>,  //
                          Named<"blocks.0.ln0", LayerNorm<Width>>,                    //
                          Named<"blocks", Place<0, Layers, FirstBlock<Widths<Width, HeadSize, W, A, V, G>, Hidden>>>,
                          Named<"blocks", Repeat<Layers - 1, Block<Widths<Width, HeadSize, W, A, V, G>, Hidden>, 1>>,
                          Release<detail::Tokens<Width>, detail::Tokens<Width>>,  //
                          Named<"ln_out", LayerNorm<Width>>,                      //
                          Named<"head", LastToken<Linear<Width, Vocab, init::orthogonal_half>>>> {
  static constexpr const Family& family = v7::family;
};

}  // namespace rwkv::v7
