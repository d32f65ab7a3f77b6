#pragma once
#include <cmath>

#include <rwkv/layers/by_channel.hpp>

// Initial values of RWKV-4, as the official trainer writes them.
namespace rwkv::v4 {
namespace detail {
using namespace rwkv::detail;

inline double decay(const Site& s, double i, double) {
  return -5 + 8 * std::pow(unit(s, i), 0.7 + 1.3 * depth_up(s));
}
inline double bonus(const Site&, double i, double) {
  return std::log(0.3) + 0.5 * (std::fmod(i + 1, 3) - 1);
}
/// (i / C)^(depth_down * scale)
inline double mix(const Site& s, double i, double scale) {
  return std::pow(i / double(s.columns), depth_down(s) * scale);
}
inline double mix_value(const Site& s, double i, double) {
  return mix(s, i, 1) + 0.3 * depth_up(s);
}

}  // namespace detail

inline constexpr Init time_decay = rwkv::detail::by_channel<&detail::decay>("time decay");
inline constexpr Init time_first = rwkv::detail::by_channel<&detail::bonus>("time first");
inline constexpr Init time_mix = rwkv::detail::by_channel<&detail::mix>("time mix");
inline constexpr Init time_mix_value = rwkv::detail::by_channel<&detail::mix_value>("time mix value");
inline constexpr Init time_mix_gate = rwkv::detail::by_channel<&detail::mix>("time mix", 0.5f);

/// An empty state of wkv, rows (aa, bb, pp) of each sequence: nothing, on the lowest scale.
inline constexpr Init empty_wkv = {"empty state",
                                   [](const Site& site, float lowest, std::span<float> values) {
                                     for (std::size_t i = 0; i < values.size(); ++i)
                                       values[i] = dim_t(i) / site.columns % 3 == 2 ? lowest : 0;
                                   },
                                   -1e38f};

}  // namespace rwkv::v4
