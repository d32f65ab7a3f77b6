#pragma once
#include <rwkv/backend/cpu/blocks/byte_pairs.hpp>
#include <rwkv/backend/cpu/blocks/short_rows.hpp>

namespace rwkv::detail {

/// Products of rows of X with a row of W in blocks, two blocks at a time, for processors that have them: see
/// by_byte_pairs. They are those of ShortDots, but for the order of the sums.
template <class Stored>
class BytePairDots;

#if defined(__AVX512VNNI__) && !defined(__CUDACC__)
template <class Stored>
class BytePairDots {
 public:
  /// In memory that the calling thread keeps until its next call.
  template <class In>
  BytePairDots(dim_t rows, dim_t columns, const In* x) : blocks_(columns / Stored::numbers) {
    static thread_local ThreadBuffer<Pair> buffer;
    const ShortRows shorts = short_rows<8>(rows, columns, x);
    Pair* const all = buffer.at_least(rows * pairs_);
    for (dim_t i = 0; i < rows; ++i)
      for (dim_t b = 0; b < 2 * pairs_; ++b) all[i * pairs_ + b / 2].put(b % 2, shorts, i * blocks_ + b, b < blocks_);
    x_ = all;
  }

  using Floats = Pack<float, 16>;

  /// Of rows i ... of X, as sums in lanes; pairs of blocks are summed by turns in two registers.
  template <int rows>
  void row(const Stored* w, dim_t i, Floats (&dots)[rows]) const {
    Floats even[rows]{}, odd[rows]{};
    dim_t p = 0;
    for (; 2 * p + 4 <= blocks_; p += 2) {
      add(i, w[2 * p], w[2 * p + 1], p, even);
      add(i, w[2 * p + 2], w[2 * p + 3], p + 1, odd);
    }
    for (; p < pairs_; ++p) add(i, w[2 * p], w[std::min(2 * p + 1, blocks_ - 1)], p, even);
    for (int r = 0; r < rows; ++r) dots[r] = even[r] + odd[r];
  }

 private:
  static constexpr int lanes = 8;  // of a block

  /// Two blocks of X.
  struct Pair {
    std::int8_t high[64], low[64];
    std::int32_t offsets[16];  // what q's offset adds to the sums of fours
    float scales[16], sums[16];

    void put(dim_t half, const ShortRows& x, dim_t block, bool there) {
      for (dim_t j = 0; j < 32; ++j) {
        const int q = there ? x.q[block * 32 + j] : 0, upper = high_byte(q);
        high[half * 32 + j] = std::int8_t(upper);
        low[half * 32 + j] = std::int8_t(q - 256 * upper);
      }
      for (dim_t j = 0; j < lanes; ++j) {
        std::int32_t four = 0;
        for (dim_t c = 0; c < 4; ++c) four += there ? x.q[block * 32 + 4 * j + c] : 0;
        offsets[half * lanes + j] = -byte_offset<Stored> * four;
        scales[half * lanes + j] = there ? x.scales[block] : 0;
        sums[half * lanes + j] = there ? x.sums[block] * (float(pair_lanes) / float(lanes)) : 0;
      }
    }
  };
  template <class Vector>
  static Vector vector(const void* from) {
    Vector all;
    std::memcpy(&all, from, sizeof all);
    return all;
  }

  template <int rows>
  [[gnu::always_inline]] void add(dim_t i, const Stored& w_0, const Stored& w_1, dim_t p, Floats (&all)[rows]) const {
    prefetch_after(&w_0);
    const FoursOfBytes q = byte_quants(w_0, w_1);
    const Floats d = floats_of_halves(w_0.half(0), w_1.half(0));
    Floats m{};
    if constexpr (Stored::has_minimum) m = floats_of_halves(w_0.half(2), w_1.half(2));
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const Pair& x = x_[(i + r) * pairs_ + p];
      const FoursOfBytes upper = sum_fours(FoursOfBytes{}, q, vector<FoursOfBytes>(x.high));
      FoursOfBytes whole = sum_fours(upper << 8, q, vector<FoursOfBytes>(x.low));
      if constexpr (byte_offset < Stored >> 0) whole += vector<FoursOfBytes>(x.offsets);
      all[r] += convert<float>(whole) * (d * vector<Floats>(x.scales));
      if constexpr (Stored::has_minimum) all[r] += m * vector<Floats>(x.sums);
    }
  }

  dim_t blocks_, pairs_ = (blocks_ + 1) / 2;
  const Pair* x_;
};
#endif

}  // namespace rwkv::detail
