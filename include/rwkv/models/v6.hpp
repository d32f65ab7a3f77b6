#pragma once
#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/last_token.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/sequential.hpp>
#include <rwkv/layers/v6/channel_mix.hpp>
#include <rwkv/layers/v6/time_mix.hpp>
#include <rwkv/models/family.hpp>

namespace rwkv::v6 {

template <dim_t C, dim_t Size, dim_t MixRank, dim_t DecayRank, dim_t F>
struct Block : Sequential<Residual<Named<"ln1", LayerNorm<C>>, Named<"att", TimeMix<C, Size, MixRank, DecayRank>>>,
                          Residual<Named<"ln2", LayerNorm<C>>, Named<"ffn", ChannelMix<C, F>>>> {};

namespace detail {
inline NetShape shape_of(const ExtentsOf& parameters) {
  const auto table = parameters("emb.weight"), key = parameters("blocks.0.ffn.key.weight"),
             heads = parameters("blocks.0.att.time_faaaa"), mixes = parameters("blocks.0.att.time_maa_w2"),
             decay = parameters("blocks.0.att.time_decay_w2");
  if (table.size() != 2 || key.size() != 2 || heads.size() != 2 || mixes.size() != 3 || decay.size() != 2) return {};
  const dim_t layers = rwkv::detail::count_blocks(parameters, "blocks.", ".ln1.weight");
  return {.vocabulary = table[0],
          .width = table[1],
          .layers = layers,
          .heads = heads[0],
          .hidden = key[0],
          .ranks = {mixes[1], decay[0]}};
}
inline std::string type_of(const NetShape& s) {
  const dim_t head = s.heads > 0 ? s.width / s.heads : 64, hidden = s.hidden > 0 ? s.hidden : hidden_width(s.width);
  const dim_t mixes = s.ranks[0] > 0 ? s.ranks[0] : 32, decay = s.ranks[0] > 0 ? s.ranks[1] : 64;
  if (hidden != hidden_width(s.width))
    return rwkv::detail::type_text("v6::Model", {s.vocabulary, s.width, s.layers, head, mixes, decay, hidden});
  if (mixes != 32 || decay != 64)
    return rwkv::detail::type_text("v6::Model", {s.vocabulary, s.width, s.layers, head, mixes, decay});
  if (head != 64) return rwkv::detail::type_text("v6::Model", {s.vocabulary, s.width, s.layers, head});
  return rwkv::detail::type_text("v6::Model", {s.vocabulary, s.width, s.layers});
}
}  // namespace detail
inline constexpr Family family{"rwkv6", 0.99, &detail::shape_of, &detail::type_of};

/// RWKV-6 "Finch" (Peng et al. 2024, arXiv 2404.05892), with the parameter names of official checkpoints. MixRank and
/// DecayRank are the ranks of its low-rank products, Hidden the width inside channel mixing.
template <dim_t Vocab, dim_t Width, int Layers, dim_t HeadSize = 64, dim_t MixRank = 32, dim_t DecayRank = 64,
          dim_t Hidden = hidden_width(Width)>
struct Model : Sequential<Named<"emb", Embedding<Vocab, Width, init::uniform_tiny>>,                            //
                          Named<"blocks.0.ln0", LayerNorm<Width>>,                                              //
                          Named<"blocks", Repeat<Layers, Block<Width, HeadSize, MixRank, DecayRank, Hidden>>>,  //
                          Named<"ln_out", LayerNorm<Width>>,                                                    //
                          Named<"head", LastToken<Linear<Width, Vocab, init::orthogonal_half>>>> {
  static constexpr const Family& family = v6::family;
};

}  // namespace rwkv::v6
