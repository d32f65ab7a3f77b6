#pragma once
#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/last_token.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/sequential.hpp>
#include <rwkv/layers/v4/channel_mix.hpp>
#include <rwkv/layers/v4/time_mix.hpp>
#include <rwkv/models/family.hpp>

namespace rwkv::v4 {

template <dim_t C, dim_t F = 4 * C>  // a struct, not an alias: compilers then say Block<64>, not its whole expansion
struct Block : Sequential<Residual<Named<"ln1", LayerNorm<C>>, Named<"att", TimeMix<C>>>,
                          Residual<Named<"ln2", LayerNorm<C>>, Named<"ffn", ChannelMix<C, F>>>> {};

namespace detail {
inline NetShape shape_of(const ExtentsOf& parameters) {
  const auto table = parameters("emb.weight"), key = parameters("blocks.0.ffn.key.weight");
  if (table.size() != 2 || key.size() != 2 || parameters("blocks.0.att.time_first").size() != 1 ||
      !parameters("blocks.0.att.ln_x.weight").empty())  // a 5.0
    return {};
  const dim_t layers = rwkv::detail::count_blocks(parameters, "blocks.", ".ln1.weight");
  return {.vocabulary = table[0], .width = table[1], .layers = layers, .hidden = key[0]};
}
inline std::string type_of(const NetShape& s) {
  if (s.hidden == 0 || s.hidden == 4 * s.width)
    return rwkv::detail::type_text("v4::Model", {s.vocabulary, s.width, s.layers});
  return rwkv::detail::type_text("v4::Model", {s.vocabulary, s.width, s.layers, s.hidden});
}
}  // namespace detail
inline constexpr Family family{"rwkv4", 0.99, &detail::shape_of, &detail::type_of};

/// RWKV-4 (Peng et al. 2023, arXiv 2305.13048), with the parameter names of official checkpoints. Hidden is the width
/// inside channel mixing.
template <dim_t Vocab, dim_t Width, int Layers, dim_t Hidden = 4 * Width>
struct Model : Sequential<Named<"emb", Embedding<Vocab, Width>>,                                                     //
                          Named<"blocks.0.ln0", LayerNorm<Width>>,                                                   //
                          Named<"blocks", Repeat<Layers, Block<Width, Hidden>>>, Named<"ln_out", LayerNorm<Width>>,  //
                          Named<"head", LastToken<Linear<Width, Vocab, init::orthogonal_half>>>> {
  static constexpr const Family& family = v4::family;
};

}  // namespace rwkv::v4
