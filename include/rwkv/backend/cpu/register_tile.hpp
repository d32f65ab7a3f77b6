#pragma once
#include <rwkv/backend/cpu/factors.hpp>

namespace rwkv::detail {

/// C (height, width) = sums + what was before, if anything, + old C, rounded once where C is stored shorter.
template <class Factors, class T, class Out>
void put_sums(dim_t height, dim_t width, const T* sums, dim_t sums_row, Out* c, dim_t c_row, T old, const T* before,
              dim_t before_row) {
  constexpr int W = width_of<typename Factors::L>;
  const auto put = [&](auto s) {
    auto x = load(sums, s);
    if (before) x += load(before, s);
    if (old != T(0)) x += old * load(c, s);
    Factors::put(c, s, x);
  };
  for (dim_t r = 0; r < height; ++r, sums += sums_row, c += c_row, before += before ? before_row : 0) {
    dim_t s = 0;
    for (; s + W <= width; s += W) put(Lanes<W>{s});
    for (; s < width; ++s) put(s);
  }
}

/// A tile of C = A B + old C that stays in registers for all steps of k: at most `tall` rows and `packs` registers of
/// columns. An element is summed step by step, in order; the last pair of an odd depth has one number of A.
template <class Factors, int packs = 2>
struct RegisterTile {
  using T = typename Factors::Sum;
  using Number = typename Factors::Number;
  using L = typename Factors::L;
  static constexpr int W = width_of<L>, wide = packs * W, together = Factors::together;
  static constexpr int tall = sizeof(L) == 64 ? 8 : 6;  // sums and operands fill the registers of AVX2
  static constexpr dim_t steps = together;              ///< what the depth of all blocks but the last is a multiple of
  static constexpr dim_t deep = 384 * together;         ///< steps for which a panel of B and a tile's rows of A fit L1
  static constexpr bool whole_steps = false;            ///< whether zeros fill the last one
  static constexpr bool reads_across = true;            ///< whether columns of A are packed side by side
  template <class Stored>
  using Packed = typename Factors::template Packed<Stored>;
  struct Use {};  ///< what a thread has while it multiplies

  dim_t depth;  ///< steps of k
  const Number* a;
  dim_t a_row, a_step;  ///< from an element of A to that of the next row, of the next `together` steps
  const Number* b;
  dim_t b_step;  ///< from `together` rows of B to the next; their `wide` columns lie side by side, pair by pair

  /// C of `height` rows, from 1 to `tall`, and `width` columns. With old 0, C is not read. A C that is stored shorter
  /// than sums gets them rounded once, with those before them added: `before` of steps that came earlier, if any.
  template <class Out>
  void sum(dim_t height, dim_t width, Out* c, dim_t c_row, T old, const T* before = nullptr,
           dim_t before_row = 0) const {
    if constexpr (std::is_same_v<Out, T>)
      if (width == wide) return pick<tall>(height, c, c_row, old);
    alignas(64) T whole[tall * wide];
    pick<tall>(height, whole, wide, T(0));
    put_sums<Factors>(height, width, whole, wide, c, c_row, old, before, before_row);
  }

 private:
  template <int rows>
  void pick(dim_t height, T* c, dim_t c_row, T old) const {
    if (height == rows) return registers<rows>(depth, a, a_row, a_step, b, b_step, c, c_row, old);
    if constexpr (rows > 1) pick<rows - 1>(height, c, c_row, old);
  }
  template <int rows>
  [[gnu::noinline]] static void registers(dim_t depth, const Number* a, dim_t a_row, dim_t a_step, const Number* b,
                                          dim_t b_step, T* c, dim_t c_row, T old) {
    L total[rows][packs]{};
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      __builtin_prefetch(c + r * c_row);
      __builtin_prefetch(c + r * c_row + wide - 1);
    }
    for (dim_t p = together; p <= depth; p += together, a += a_step, b += b_step)
      step(total, b, [=](int r) { return Factors::all(a + r * a_row); });
    if constexpr (together > 1)
      if (depth % together > 0) step(total, b, [=](int r) { return Factors::all_of_one(a + r * a_row); });
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) {
        const Lanes<W> at{r * c_row + s * W};
        store(c, at, old == T(0) ? total[r][s] : load(c, at) * old + total[r][s]);
      }
  }
  /// Adds the products of one step, or of those that are taken together, to a tile of sums.
  template <int rows, class OfRow>
  [[gnu::always_inline]] static void step(L (&total)[rows][packs], const Number* b, const OfRow& of_row) {
    decltype(Factors::each(b)) b_p[packs];
#pragma GCC unroll 4
    for (int s = 0; s < packs; ++s) b_p[s] = Factors::each(b + s * W * together);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const auto a_p = of_row(r);
#pragma GCC unroll 4
      for (int s = 0; s < packs; ++s) total[r][s] = Factors::add(total[r][s], a_p, b_p[s]);
    }
  }
};

}  // namespace rwkv::detail
