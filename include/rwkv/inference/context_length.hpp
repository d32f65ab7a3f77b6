#pragma once
#include <rwkv/core/config.hpp>

namespace rwkv {
namespace detail {
template <class Net>
constexpr dim_t context_length_of() {
  if constexpr (requires { Net::context; })
    return Net::context;
  else
    return 0;
}
}  // namespace detail

/// The most tokens that a model can read in one sequence; 0: any number.
template <class Net>
inline constexpr dim_t context_length = detail::context_length_of<Net>();

}  // namespace rwkv
