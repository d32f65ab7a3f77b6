#pragma once
#include <rwkv/core/bf16.hpp>
#include <rwkv/core/lanes.hpp>

namespace bench {

/// Writes numbers between -size and size, and so much more, without a pattern: products of equal numbers run faster
/// than numbers do.
template <class T>
struct Noise {
  T* to;
  float size = 1, more = 0;
  RWKV_HD void operator()(rwkv::dim_t, rwkv::dim_t i) const {
    auto x = static_cast<std::uint32_t>(i) * 0x9e3779b9u;
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    rwkv::store(to, i, size * (float(x >> 8) / float(1 << 23) - 1) + more);
  }
};

}  // namespace bench
