#pragma once
#include <rwkv/backend/cpu/blocks/byte_pairs.hpp>
#include <rwkv/backend/cpu/blocks/short_rows.hpp>
#include <rwkv/backend/pool.hpp>

namespace rwkv::detail {

/// A block of a row of X as shorts, in two bytes each: see by_byte_pairs.
struct ByteBlock {
  std::int8_t high[32], low[32];
  std::int32_t sum;    ///< of the shorts
  float scale, total;  ///< total = scale sum
};

/// Rows of X in blocks, an even number of them each: the last may be zeros. In memory that the calling thread keeps
/// until its next call.
template <class In>
const ByteBlock* byte_rows(dim_t rows, dim_t columns, const In* x) {
  static thread_local ThreadBuffer<ByteBlock> buffer;
  const dim_t blocks = columns / 32, row = blocks + blocks % 2;
  ByteBlock* const all = buffer.at_least(rows * row);
  parallel_if(rows * columns >= 1 << 13, rows, [&](dim_t i) {
    const ShortRows shorts = short_rows<8>(1, columns, x + i * columns);
    ByteBlock* const to = all + i * row;
    for (dim_t b = 0; b < blocks; ++b) {
      std::int32_t sum = 0;
      for (dim_t j = 0; j < 32; ++j) {
        const int q = shorts.q[b * 32 + j], high = high_byte(q);
        to[b].high[j] = std::int8_t(high);
        to[b].low[j] = std::int8_t(q - 256 * high);
        sum += q;
      }
      to[b].sum = sum;
      to[b].scale = shorts.scales[b];
      to[b].total = shorts.scales[b] * float(sum);
    }
    if (blocks < row) to[blocks] = ByteBlock{};
  });
  return all;
}

}  // namespace rwkv::detail
