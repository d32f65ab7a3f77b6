#pragma once
#include <memory>
#include <type_traits>

#include <rwkv/core/config.hpp>

namespace rwkv::detail::gpu {

template <auto destroy>
struct Destroy {
  void operator()(auto* handle) const { destroy(handle); }
};
/// What a library of CUDA made, destroyed by its own function.
template <class H, auto destroy>
using Handle = std::unique_ptr<std::remove_pointer_t<H>, Destroy<destroy>>;

}  // namespace rwkv::detail::gpu
