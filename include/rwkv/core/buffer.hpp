#pragma once
#include <memory>

#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// Scalars to a multiple of which tensors start: a cache line of floats. The same for all types, so that bundles of
/// the same sizes have the same layout on any machine.
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
