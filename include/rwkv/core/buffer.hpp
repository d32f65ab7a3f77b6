#pragma once
#include <memory>

#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// Tensors start on a cache line of floats.
inline constexpr dim_t line = 16;
constexpr dim_t aligned(dim_t n) { return (n + line - 1) / line * line; }

template <class B>
struct Deallocate {
  void operator()(typename B::scalar* p) const { B::deallocate(p); }
};
/// Memory of a machine.
template <class B>
using Buffer = std::unique_ptr<typename B::scalar[], Deallocate<B>>;

}  // namespace rwkv::detail
