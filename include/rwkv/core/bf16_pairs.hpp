#pragma once
#include <rwkv/core/bf16.hpp>

#if defined(__AVX512BF16__) && !defined(__CUDACC__)
#include <immintrin.h>

namespace rwkv::detail {

/// Pairs of neighbouring bf16, the earlier one in the lower half, as many as a register holds.
using Bf16Pairs = Pack<std::uint32_t, 16>;

/// sum + the products of each pair, by the unit for it: that of the upper halves is added first, then that of the lower
/// ones, each exact until the sum is rounded to nearest, ties to even. Operands and sums that are denormal count as 0
/// of their sign. No setting of the processor changes this, and none of its flags tells of it.
[[gnu::always_inline]] inline Pack<float, 16> add_pair_products(Pack<float, 16> sum, Bf16Pairs x, Bf16Pairs y) {
  return std::bit_cast<Pack<float, 16>>(
      _mm512_dpbf16_ps(std::bit_cast<__m512>(sum), std::bit_cast<__m512bh>(x), std::bit_cast<__m512bh>(y)));
}

/// x rounded to nearest, ties to even; what is denormal becomes 0 of its sign.
[[gnu::always_inline]] inline void store_by_unit(bf16* to, Pack<float, 16> x) {
  const __m256bh rounded = _mm512_cvtneps_pbh(std::bit_cast<__m512>(x));
  std::memcpy(static_cast<void*>(to), &rounded, sizeof rounded);
}

inline std::uint32_t bf16_pair_at(const bf16* p) {
  std::uint32_t pair;
  std::memcpy(&pair, p, sizeof pair);
  return pair;
}
inline Bf16Pairs bf16_pairs_at(const bf16* p) {
  Bf16Pairs pairs;
  std::memcpy(&pairs, p, sizeof pairs);
  return pairs;
}

}  // namespace rwkv::detail
#endif
