#pragma once
#include <rwkv/layers/gated_channel_mix.hpp>
#include <rwkv/layers/v5/init.hpp>

namespace rwkv::v5 {

struct ChannelMixes {
  static constexpr const char *key = "time_mix_k", *receptance = "time_mix_r";
  static constexpr const Init& init = time_mix;
  static constexpr MixOf of = MixOf::current;
};

/// RWKV-5's feed-forward part (Peng et al. 2024, arXiv 2404.05892): RWKV-4's.
template <dim_t C, dim_t F, template <dim_t, dim_t, const Init&> class Projection = Linear>
struct ChannelMix : GatedChannelMix<ChannelMixes, projection, C, F, Projection> {};

}  // namespace rwkv::v5
