#pragma once
#include <rwkv/core/config.hpp>

namespace rwkv::v7 {

/// The rank of a low-rank product in a model of width C, as the official trainer chooses it: c sqrt(C) to the nearest
/// multiple of 32, halves to an even one, and at least 32. Released models have ranks of their own.
constexpr dim_t rank(double c, dim_t C) {
  dim_t n = 0;  // c^2 C against (32 (n + 1/2))^2: both exact
  for (const auto edge = [&] { return 32 * (double(n) + 0.5); };
       c * c * double(C) > edge() * edge() || (c * c * double(C) == edge() * edge() && n % 2 == 1);)
    ++n;
  return 32 * (n > 1 ? n : 1);
}

}  // namespace rwkv::v7
