#pragma once
#include <rwkv/core/lanes.hpp>

namespace rwkv::detail {

/// A tile of C = A B + old C that stays in registers for all steps of k: at most `tall` rows and `packs` registers of
/// columns. An element is summed step by step, in order.
template <class T, int packs = 2>
struct RegisterTile {
  using L = Pack<T, native_width<T>>;
  static constexpr int W = native_width<T>, wide = packs * W;
  static constexpr int tall = sizeof(T) * W == 64 ? 8 : 6;  // sums and operands fill the registers of AVX2

  dim_t depth;  ///< steps of k
  const T* a;
  dim_t a_row, a_step;  ///< from an element of A to that of the next row, of the next step
  const T* b;
  dim_t b_step;  ///< from a row of B to the next; its `wide` columns lie side by side
  T* c;
  dim_t c_row;
  T old;  ///< with 0, C is not read

  /// `height` rows, from 1 to `tall`, and all columns.
  void sum(dim_t height) const { pick<tall>(height); }
  /// The same of the first `width` columns.
  void sum(dim_t height, dim_t width) const {
    if (width == wide) return sum(height);
    alignas(64) T whole[tall * wide];
    RegisterTile all = *this;
    all.c = whole, all.c_row = wide, all.old = T(0);
    all.sum(height);
    for (dim_t r = 0; r < height; ++r)
      for (dim_t s = 0; s < width; ++s) {
        T& out = c[r * c_row + s];
        out = old == T(0) ? whole[r * wide + s] : old * out + whole[r * wide + s];
      }
  }

 private:
  template <int rows>
  void pick(dim_t height) const {
    if (height == rows) return registers<rows>(depth, a, a_row, a_step, b, b_step, c, c_row, old);
    if constexpr (rows > 1) pick<rows - 1>(height);
  }
  template <int rows>
  [[gnu::noinline]] static void registers(dim_t depth, const T* a, dim_t a_row, dim_t a_step, const T* b, dim_t b_step,
                                          T* c, dim_t c_row, T old) {
    L total[rows][packs]{};
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      __builtin_prefetch(c + r * c_row);
      __builtin_prefetch(c + r * c_row + wide - 1);
    }
    for (dim_t p = 0; p < depth; ++p, a += a_step, b += b_step) {
      L b_p[packs];
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) b_p[s] = load(b, Lanes<W>{s * W});
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const L a_p = broadcast<L>(a[r * a_row]);
#pragma GCC unroll 4
        for (int s = 0; s < packs; ++s) total[r][s] += a_p * b_p[s];
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) {
        const Lanes<W> at{r * c_row + s * W};
        store(c, at, old == T(0) ? total[r][s] : load(c, at) * old + total[r][s]);
      }
  }
};

}  // namespace rwkv::detail
