#pragma once
#include <rwkv/layers/gated_channel_mix.hpp>
#include <rwkv/layers/v4/init.hpp>

namespace rwkv::v4 {

struct ChannelMixes {
  static constexpr const char *key = "time_mix_k", *receptance = "time_mix_r";
  static constexpr const Init& init = time_mix;
  static constexpr MixOf of = MixOf::current;
};

/// RWKV-4's feed-forward part (Peng et al. 2023, arXiv 2305.13048).
template <dim_t C, dim_t F = 4 * C, template <dim_t, dim_t, const Init&> class Projection = Linear>
struct ChannelMix : GatedChannelMix<ChannelMixes, rwkv::init::orthogonal_unit, C, F, Projection> {};

}  // namespace rwkv::v4
