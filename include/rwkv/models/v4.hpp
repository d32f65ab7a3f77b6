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

namespace rwkv::v4 {

template <dim_t C, dim_t F = 4 * C>  // a struct, not an alias: compilers then say Block<64>, not its whole expansion
struct Block : Sequential<Residual<Named<"ln1", LayerNorm<C>>, Named<"att", TimeMix<C>>>,
                          Residual<Named<"ln2", LayerNorm<C>>, Named<"ffn", ChannelMix<C, F>>>> {};

/// RWKV-4 (Peng et al. 2023, arXiv 2305.13048), with the parameter names of official checkpoints. Hidden is the width
/// inside channel mixing.
template <dim_t Vocab, dim_t Width, int Layers, dim_t Hidden = 4 * Width>
struct Model : Sequential<Named<"emb", Embedding<Vocab, Width>>,                                                     //
                          Named<"blocks.0.ln0", LayerNorm<Width>>,                                                   //
                          Named<"blocks", Repeat<Layers, Block<Width, Hidden>>>, Named<"ln_out", LayerNorm<Width>>,  //
                          Named<"head", LastToken<Linear<Width, Vocab, init::orthogonal_half>>>> {};

}  // namespace rwkv::v4
