#pragma once
#include <algorithm>
#include <cmath>

#include <rwkv/backend/cpu/blocks/short_quants.hpp>
#include <rwkv/backend/thread_buffer.hpp>

namespace rwkv::detail {

/// Rows of activations as shorts in blocks of 32 with a scale each, so that products with quantised weights are sums of
/// whole numbers: 16 bits keep what 8 bits of the weights can tell, and cost a processor's pairs of products no more.
struct ShortRows {
  static constexpr float most = 127 * 256 + 127;  // of a short: both its bytes have a sign, see byte_pairs
  const std::int16_t* q;                          ///< (rows, columns), in each block in the order of short_quants
  const float* scales;  ///< (rows, columns / 32): x = scale q, to a part in 65278 of the block's largest
  const float* sums;    ///< (rows, columns / 32): of a block's scale q, over pair_lanes
};

/// In memory that the calling thread keeps until its next call. What is not finite makes the block NaN.
template <int Bits, class In>
ShortRows short_rows(dim_t rows, dim_t columns, const In* x) {
  static thread_local ThreadBuffer<std::int16_t> for_q;
  static thread_local ThreadBuffer<float> for_scales;
  constexpr int W = pair_lanes < 16 ? pair_lanes : 16;
  using Floats = Pack<float, W>;
  const dim_t blocks = rows * columns / 32;
  std::int16_t* const q = for_q.at_least(rows * columns);
  float *const scales = for_scales.at_least(2 * blocks), *const sums = scales + blocks;
  for (dim_t b = 0; b < blocks; ++b) {
    Floats largest{}, nothing{};  // NaN where one is not finite
    for (dim_t i = 0; i < 32; i += W) {
      const Floats some = load(x, Lanes<W>{b * 32 + i}), size = some < 0 ? -some : some;
      largest = size > largest ? size : largest;
      nothing += some - some;
    }
    const float top = reduce_lanes(largest, [](auto u, auto v) { return u > v ? u : v; });
    const bool finite = reduce_lanes(nothing, [](auto u, auto v) { return u + v; }) == 0;
    const float scale = finite ? top / ShortRows::most : NAN;
    const float steps = finite && top > 1e-30f ? ShortRows::most / top : 0.f;
    Pack<std::int32_t, W> sum{};
    std::int16_t in_order[32];
    for (dim_t i = 0; i < 32; i += W) {
      // 1.5 * 2^23 leaves no room for fractions: adding it rounds to the nearest whole number.
      const Floats shifted = (steps == 0 ? Floats{} : load(x, Lanes<W>{b * 32 + i}) * steps) + 0x1.8p23f;
      const auto whole = std::bit_cast<Pack<std::int32_t, W>>(shifted) - 0x4B400000;
      const auto shorts = convert<std::int16_t>(whole);
      std::memcpy(in_order + i, &shorts, sizeof shorts);
      sum += whole;
    }
    for (int lane = 0; lane < 32; ++lane) q[b * 32 + lane] = in_order[place_of_lane(Bits, lane)];
    scales[b] = scale;
    sums[b] = scale * float(reduce_lanes(sum, [](auto u, auto v) { return u + v; })) / float(pair_lanes);
  }
  return {q, scales, sums};
}

}  // namespace rwkv::detail
