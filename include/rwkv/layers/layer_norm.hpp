#pragma once
#include <rwkv/layers/group_norm.hpp>

namespace rwkv {
namespace detail {
struct UsualNorm {
  static constexpr double eps = 1e-5;
  static constexpr Init weight = init::ones;
};
}  // namespace detail

/// Every token's C channels to mean 0 and variance 1, then weight and bias (Ba et al. 2016); eps is 1e-5.
template <dim_t C>
struct LayerNorm : GroupNorm<C, 1, detail::UsualNorm> {};

}  // namespace rwkv
