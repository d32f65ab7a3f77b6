#pragma once
#include <cmath>

#include <rwkv/layers/by_channel.hpp>
#include <rwkv/layers/group_norm.hpp>

namespace rwkv {
namespace detail {
inline double deeper(const Site& s, double, double) {
  return std::pow(double(1 + s.layer) / s.layers, 0.7);
}
struct OfHeads {
  static constexpr double eps = 64e-5;
  static constexpr Init weight = by_channel<&deeper>("depth^0.7");
};
}  // namespace detail

/// What versions 5 to 7 do to a recurrence's output, head by head: `ln_x` of official checkpoints. eps is 64e-5: their
/// trainers take 1e-5 of an eighth of the output.
template <dim_t C, dim_t H>
using HeadNorm = GroupNorm<C, H, detail::OfHeads>;

}  // namespace rwkv
