#pragma once
#include <rwkv/backend/cpu/blocks/short_rows.hpp>

namespace rwkv::detail {

/// Products of rows of X, made shorts, with a row of W in blocks.
template <class Stored>
class ShortDots {
 public:
  /// In memory that the calling thread keeps until its next call.
  template <class In>
  ShortDots(dim_t rows, dim_t columns, const In* x)
      : blocks_(columns / Stored::numbers), x_(short_rows<Stored::bits>(rows, columns, x)) {}

  using Floats = Pack<float, pair_lanes>;

  /// Of rows i ... of X, as sums in lanes; blocks are summed by turns in two registers.
  template <int rows>
  void row(const Stored* w, dim_t i, Floats (&dots)[rows]) const {
    Floats even[rows]{}, odd[rows]{};
    dim_t b = 0;
    for (; b + 2 <= blocks_; b += 2) {
      add(i, w[b], b, even);
      add(i, w[b + 1], b + 1, odd);
    }
    if (b < blocks_) add(i, w[b], b, even);
    for (int r = 0; r < rows; ++r) dots[r] = even[r] + odd[r];
  }

 private:
  template <int rows>
  [[gnu::always_inline]] void add(dim_t i, const Stored& w, dim_t b, Floats (&sums)[rows]) const {
    prefetch_after(&w);
    Shorts q[short_registers];
    short_quants(w, q);
    const Floats d = float_of_half(w.half(0));
    Floats m{};
    if constexpr (Stored::has_minimum) m = float_of_half(w.half(2));
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const dim_t at = (i + r) * blocks_ + b;
      PairSums whole{};
#pragma GCC unroll 4
      for (int part = 0; part < short_registers; ++part) {
        Shorts x_r;
        std::memcpy(&x_r, x_.q + at * Stored::numbers + part * 2 * pair_lanes, sizeof x_r);
        whole += pair_sums(q[part], x_r);
      }
      sums[r] += convert<float>(whole) * (d * x_.scales[at]);
      if constexpr (Stored::has_minimum) sums[r] += m * x_.sums[at];
    }
  }

  dim_t blocks_;
  ShortRows x_;
};

}  // namespace rwkv::detail
