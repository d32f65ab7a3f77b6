#pragma once
#include <rwkv/layers/gated_channel_mix.hpp>
#include <rwkv/layers/v6/init.hpp>

namespace rwkv::v6 {

/// The width inside channel mixing as the official trainer chooses it: 3.5 times the width, on a multiple of 32.
constexpr dim_t hidden_width(dim_t width) {
  return width * 7 / 2 / 32 * 32;
}

struct ChannelMixes {
  static constexpr const char *key = "time_maa_k", *receptance = "time_maa_r";
  static constexpr const Init& init = hidden_maa;
  static constexpr MixOf of = MixOf::previous;
};

/// RWKV-6's feed-forward part (Peng et al. 2024, arXiv 2404.05892).
template <dim_t C, dim_t F = hidden_width(C), template <dim_t, dim_t, const Init&> class Projection = Linear>
struct ChannelMix : GatedChannelMix<ChannelMixes, projection, C, F, Projection> {};

}  // namespace rwkv::v6
