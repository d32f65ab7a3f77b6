#pragma once
#include <memory>

#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// Tensors start on a cache line of floats.
inline constexpr dim_t leaf_alignment = 16;
constexpr dim_t aligned(dim_t n) {
  return (n + leaf_alignment - 1) / leaf_alignment * leaf_alignment;
}

template <class B>
struct Deallocate {
  void operator()(typename B::scalar* p) const { B::deallocate(p); }
};
/// Memory of a machine.
template <class B>
using Buffer = std::unique_ptr<typename B::scalar[], Deallocate<B>>;

}  // namespace rwkv::detail
