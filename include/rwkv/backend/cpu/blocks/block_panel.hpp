#pragma once
#include <rwkv/backend/cpu/blocks/byte_pairs.hpp>

#if defined(__AVX512VNNI__) && !defined(__CUDACC__)
#include <algorithm>

#include <rwkv/backend/cpu/transpose.hpp>

namespace rwkv::detail {

/// Two neighbouring blocks of 16 rows of W, a row to a lane.
template <class Stored>
struct BlockPanel {
  static constexpr int rows = 16;
  using Floats = Pack<float, rows>;

  FoursOfBytes q[16];  ///< four steps of k each, the first block's first
  Floats scales[2], minimums[2];

  /// From `count` rows, from 1 to 16, that lie `row` blocks apart; without `both` there is no second block.
  void pack(const Stored* from, dim_t row, dim_t count, bool both) {
    for (int r = 0; r < rows; ++r) {
      const Stored &first = from[std::min<dim_t>(r, count - 1) * row], &second = *(&first + both);
      q[r] = byte_quants(first, second);
      put(scales, r, first.half(0), both ? second.half(0) : 0);
      if constexpr (Stored::has_minimum) put(minimums, r, first.half(2), both ? second.half(2) : 0);
    }
    transpose(q);
  }

 private:
  static void put(Floats (&of_halves)[2], int r, std::uint16_t first, std::uint16_t second) {
    of_halves[0][r] = from_f16(first);
    of_halves[1][r] = from_f16(second);
  }
};

}  // namespace rwkv::detail
#endif
