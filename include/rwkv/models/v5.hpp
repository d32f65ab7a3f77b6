#pragma once
#include <rwkv/layers/embedding.hpp>
#include <rwkv/layers/last_token.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/sequential.hpp>
#include <rwkv/layers/v5/channel_mix.hpp>
#include <rwkv/layers/v5/time_mix.hpp>
#include <rwkv/models/family.hpp>

namespace rwkv::v5 {

/// The width inside channel mixing as the official trainers choose it: 4 times the width in 5.0, later 3.5 times, on a
/// multiple of 32.
constexpr dim_t hidden_width(dim_t width, Kind kind) {
  return kind == Kind::v5_0 ? 4 * width : width * 7 / 2 / 32 * 32;
}

template <dim_t C, dim_t Size, Kind Of, dim_t F>
struct Block : Sequential<Residual<Named<"ln1", LayerNorm<C>>, Named<"att", TimeMix<C, Size, Of>>>,
                          Residual<Named<"ln2", LayerNorm<C>>, Named<"ffn", ChannelMix<C, F>>>> {};

namespace detail {
/// kinds[shape.kind]
inline constexpr const char* kinds[] = {"v5::Kind::v5_0", "v5::Kind::v5_1", "v5::Kind::v5_2"};

inline NetShape shape_of(const ExtentsOf& parameters) {
  const auto table = parameters("emb.weight"), key = parameters("blocks.0.ffn.key.weight"),
             norm = parameters("blocks.0.att.ln_x.weight"), decay = parameters("blocks.0.att.time_decay");
  if (table.size() != 2 || key.size() != 2 || norm.size() != 1 || decay.empty() || decay.size() > 2) return {};
  const dim_t layers = rwkv::detail::count_blocks(parameters, "blocks.", ".ln1.weight");
  return {.vocabulary = table[0],
          .width = table[1],
          .layers = layers,
          .heads = decay[0],
          .hidden = key[0],
          .kind = decay.size() == 2                                ? 2
                  : parameters("blocks.0.att.gate.weight").empty() ? 0
                                                                   : 1};
}
inline std::string type_of(const NetShape& s) {
  const dim_t head = s.heads > 0 ? s.width / s.heads : 64;
  const int kind = s.layers > 0 ? s.kind : 2;
  const dim_t hidden = s.hidden > 0 ? s.hidden : hidden_width(s.width, Kind(kind));
  std::string text = rwkv::detail::type_text("v5::Model", {s.vocabulary, s.width, s.layers});
  text.pop_back();
  const bool usual = hidden == hidden_width(s.width, Kind(kind));
  if (head != 64 || kind != 2 || !usual) text.append(", ").append(std::to_string(head));
  if (kind != 2 || !usual) text.append(", ").append(kinds[kind]);
  if (!usual) text.append(", ").append(std::to_string(hidden));
  return text.append(">");
}
}  // namespace detail
inline constexpr Family family{"rwkv5", 0.99, &detail::shape_of, &detail::type_of};

/// RWKV-5 "Eagle" (Peng et al. 2024, arXiv 2404.05892), with the parameter names of official checkpoints; released
/// models are 5.2. Hidden is the width inside channel mixing.
template <dim_t Vocab, dim_t Width, int Layers, dim_t HeadSize = 64, Kind Of = Kind::v5_2,
          dim_t Hidden = hidden_width(Width, Of)>
struct Model : Sequential<Named<"emb", Embedding<Vocab, Width, init::uniform_tiny>>,            //
                          Named<"blocks.0.ln0", LayerNorm<Width>>,                              //
                          Named<"blocks", Repeat<Layers, Block<Width, HeadSize, Of, Hidden>>>,  //
                          Named<"ln_out", LayerNorm<Width>>,                                    //
                          Named<"head", LastToken<Linear<Width, Vocab, init::orthogonal_half>>>> {
  static constexpr const Family& family = v5::family;
};

}  // namespace rwkv::v5
