#pragma once
#include <rwkv/core/config.hpp>

namespace rwkv {

/// A run of numbers of which one rank has charge.
struct Share {
  dim_t first, size;
  bool operator==(const Share&) const = default;
};

/// The share that a rank has of n numbers. Shares lie one after the other in the order of the ranks and begin at
/// multiples of 16; all are equally long but the last rank's, which has the rest as well, so that few numbers are all
/// its own.
constexpr Share share_of(dim_t n, int rank, int size) {
  const dim_t each = n / size / 16 * 16, first = each * rank;
  return {first, rank + 1 < size ? each : n - first};
}

}  // namespace rwkv
