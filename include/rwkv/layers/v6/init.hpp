#pragma once
#include <cmath>

#include <rwkv/layers/by_channel.hpp>

// Initial values of RWKV-5.2 and 6, as the official trainer writes them. n runs from 0 to 1 over the channels, d from 0
// to just below 1.
namespace rwkv::v6 {
namespace detail {
using namespace rwkv::detail;

/// d^(depth_down * power)
inline double share(const Site& s, double i, double power) {
  return std::pow(i / double(s.columns), depth_down(s) * power);
}
inline double mix(const Site& s, double i, double power) {
  return 1 - share(s, i, power);
}
inline double mix_value(const Site& s, double i, double) {
  return mix(s, i, 1) - 0.3 * depth_up(s);
}
inline double hidden_mix(const Site& s, double i, double) {
  return 1 - std::pow(i / double(s.columns), std::pow(depth_down(s), 3));
}
inline double decay_at(const Site& s, double n) {
  return -6 + 5 * std::pow(n, 0.7 + 1.3 * depth_up(s));
}
inline double bonus_at(const Site& s, double i, double n) {
  return depth_up(s) * (1 - n) + 0.1 * (std::fmod(i + 1, 3) - 1);
}
/// Of all channels of a tensor, whatever its extents.
inline double along(const Site& s, double i) {
  const double all = double(s.rows * s.columns);
  return all > 1 ? i / (all - 1) : 0;
}
inline double decay(const Site& s, double i, double) {
  return decay_at(s, along(s, i));
}
inline double bonus(const Site& s, double i, double) {
  return bonus_at(s, i, along(s, i));
}

}  // namespace detail

inline constexpr Init time_maa = rwkv::detail::by_channel<&detail::mix>("1 - d^power"),
                      time_maa_gate = rwkv::detail::by_channel<&detail::mix>("1 - d^power", 0.5f),
                      time_maa_value = rwkv::detail::by_channel<&detail::mix_value>("value mix"),
                      hidden_maa = rwkv::detail::by_channel<&detail::hidden_mix>("hidden mix"),
                      time_decay = rwkv::detail::by_channel<&detail::decay>("time decay"),
                      time_faaaa = rwkv::detail::by_channel<&detail::bonus>("bonus"), factor = init::uniform(0.01f),
                      projection = init::orthonormal(), small_projection = init::orthonormal(0.1f);

}  // namespace rwkv::v6
