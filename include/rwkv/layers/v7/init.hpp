#pragma once
#include <cmath>

#include <rwkv/layers/by_channel.hpp>

// Initial values of RWKV-7, as the official trainer writes them. n runs from 0 to 1 over the channels, d from 0 to just
// below 1, and ramp from -1 to 1 over the channels of a head.
namespace rwkv::v7 {
namespace detail {
using namespace rwkv::detail;

inline double centred(const Site& s, double i) {
  return unit(s, i) - 0.5;
}
template <dim_t Size>
double ramp(double i) {
  if (Size == 1) return 0;
  const double t = (std::fmod(i, Size) - (Size - 1) / 2.0) / ((Size - 1) / 2.0);
  return t * std::abs(t);
}
/// 1 - d^(depth_down * power)
inline double mix(const Site& s, double i, double power) {
  return 1 - std::pow(i / double(s.columns), depth_down(s) * power);
}
inline double hidden_mix(const Site& s, double i, double) {
  return 1 - std::pow(i / double(s.columns), std::pow(depth_down(s), 4));
}
template <dim_t Size>
double decay(const Site& s, double i, double) {
  return -5.5 + 6 * std::pow(unit(s, i), 1 + std::pow(depth_up(s), 0.3)) + 2.5 * ramp<Size>(i);
}
template <dim_t Size>
double in_context_rate(const Site& s, double i, double) {
  return -0.19 + 0.3 * ramp<Size>(i) + 0.4 * centred(s, i);
}
inline double value_share(const Site& s, double i, double) {
  return 0.73 - 0.4 * centred(s, i);
}
inline double key_scale(const Site& s, double i, double) {
  return 0.71 - 0.1 * centred(s, i);
}
}  // namespace detail

inline constexpr Init slow_mix = rwkv::detail::by_channel<&detail::mix>("1 - d^power", 0.2f),
                      key_mix = rwkv::detail::by_channel<&detail::mix>("1 - d^power", 0.7f),
                      rate_mix = rwkv::detail::by_channel<&detail::mix>("1 - d^power", 0.9f),
                      hidden_mix = rwkv::detail::by_channel<&detail::hidden_mix>("hidden mix"),
                      k_k = rwkv::detail::by_channel<&detail::key_scale>("key scale"), k_a = init::constant(1.02f),
                      r_k = init::constant(-0.04f), factor = init::orthogonal(0.1f), projection = init::orthonormal(),
                      key_projection = init::orthonormal(0.1f);

/// Of the biases of low-rank products.
template <dim_t Size>
struct Decay {
  static constexpr Init init = rwkv::detail::by_channel<&detail::decay<Size>>("decay");
  static constexpr float lr_scale = 2;
};
template <dim_t Size>
struct Rate {
  static constexpr Init init = rwkv::detail::by_channel<&detail::in_context_rate<Size>>("in-context rate");
  static constexpr float lr_scale = 1;
};
struct ValueShare {
  static constexpr Init init = rwkv::detail::by_channel<&detail::value_share>("value share");
  static constexpr float lr_scale = 1;
};

}  // namespace rwkv::v7
