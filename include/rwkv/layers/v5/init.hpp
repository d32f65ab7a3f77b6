#pragma once
#include <rwkv/layers/v4/init.hpp>
#include <rwkv/layers/v6/init.hpp>

// Initial values of RWKV-5, as the official trainers write them.
namespace rwkv::v5 {
namespace detail {
inline double bonus_of_head(const Site& s, double h, double) {
  return rwkv::detail::depth_up(s) * (1 - v6::detail::along(s, h));
}
}  // namespace detail

using v4::time_mix, v4::time_mix_gate, v4::time_mix_value;
using v6::projection, v6::small_projection, v6::time_decay, v6::time_faaaa;
inline constexpr Init time_first = init::constant(-3),
                      bonus_of_head = rwkv::detail::by_channel<&detail::bonus_of_head>("bonus");

}  // namespace rwkv::v5
