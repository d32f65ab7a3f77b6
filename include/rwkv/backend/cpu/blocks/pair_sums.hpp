#pragma once
#include <cstdint>

#include <rwkv/core/weight_block.hpp>

namespace rwkv::detail {

/// Lanes of a sum of products of shorts: each sums a pair of them.
inline constexpr int pair_lanes = native_width<float> < 4 ? 4 : native_width<float>;
using Shorts = Pack<std::int16_t, 2 * pair_lanes>;
using PairSums = Pack<std::int32_t, pair_lanes>;
/// How many registers of shorts a block takes.
inline constexpr int short_registers = 32 / (2 * pair_lanes);

/// x[2j] y[2j] + x[2j + 1] y[2j + 1], exactly.
inline PairSums pair_sums(Shorts x, Shorts y) {
#if !defined(__CUDACC__) && defined(__AVX512BW__) && defined(__clang__)
  return __builtin_ia32_pmaddwd512(x, y);
#elif !defined(__CUDACC__) && defined(__AVX512BW__)
  return __builtin_ia32_pmaddwd512_mask(x, y, PairSums{}, 0xFFFF);
#elif !defined(__CUDACC__) && defined(__AVX2__) && !defined(__AVX512F__)
  return __builtin_ia32_pmaddwd256(x, y);
#elif !defined(__CUDACC__) && defined(__SSE2__) && !defined(__AVX__)
  return __builtin_ia32_pmaddwd128(x, y);
#else
  PairSums sums{};
  for (int j = 0; j < pair_lanes; ++j) sums[j] = x[2 * j] * y[2 * j] + x[2 * j + 1] * y[2 * j + 1];
  return sums;
#endif
}

/// Asks for what will be read some blocks later: prefetchers look less far. Inlined always, as prefetch is.
[[gnu::always_inline]] inline void prefetch_after(const void* block) {
  __builtin_prefetch(static_cast<const char*>(block) + 2048);
}

/// A half in all lanes.
inline Pack<float, pair_lanes> float_of_half(std::uint16_t bits) {
  using Floats = Pack<float, pair_lanes>;
#if !defined(__CUDACC__) && defined(__AVX512F__)
  const Pack<std::int16_t, 16> all = std::int16_t(bits) - Pack<std::int16_t, 16>{};
  return __builtin_ia32_vcvtph2ps512_mask(all, Floats{}, -1, 4);
#elif !defined(__CUDACC__) && defined(__F16C__)
  return __builtin_ia32_vcvtph2ps256(std::int16_t(bits) - Pack<std::int16_t, 8>{});
#else
  return from_f16(bits) - Floats{};  // broadcast is the device's as well, whose lanes are scalars
#endif
}

}  // namespace rwkv::detail
