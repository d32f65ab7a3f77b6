#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include <rwkv/backend/cpu/matrix_unit.hpp>
#include <rwkv/backend/cpu/transpose.hpp>

namespace rwkv::detail {

/// What Packing does, for the unit that multiplies matrices: the left operand becomes rows, the right one pairs, and
/// zeros fill what is missing from a last step of k. Pairs packs pairs.
template <class Pairs>
struct UnitPacking {
  static constexpr bool widens = false;

  /// to[i] = from[i]
  static void widen(const bf16* from, dim_t n, bf16* to) {
    std::copy(from, from + n, to);
    std::fill(to + n, to + MatrixUnit::whole(n), bf16{});
  }
  template <int Across>
  static void columns(const bf16* from, dim_t row, dim_t lines, dim_t depth, bf16* to, dim_t panel) {
    Pairs::template columns<Across>(from, row, lines, depth, to, panel);
    for (dim_t q = 0; q < lines; q += Across, to += panel) complete<Across>(depth, to);
  }
  template <int Across>
  static void rows(const bf16* from, dim_t row, dim_t lines, dim_t depth, bf16* to) {
    Pairs::template rows<Across>(from, row, lines, depth, to);
    complete<Across>(depth, to);
  }
  /// Lines that lie side by side become rows, to_row numbers apart.
  [[gnu::noinline]] static void turn(const bf16* from, dim_t row, dim_t lines, dim_t depth, bf16* to, dim_t to_row) {
    for (dim_t p = 0; p < depth; p += 2 * W, from += 2 * W * row, to += 2 * W)
      for (dim_t q = 0; q < lines; q += W)
        turn_block(from + q, row, std::min<dim_t>(W, lines - q), std::min<dim_t>(2 * W, depth - p), to + q * to_row,
                   to_row);
  }

 private:
  using Bits = Pack<std::uint32_t, 16>;
  static constexpr int W = width_of<Bits>;

  template <int Across>
  static void complete(dim_t depth, bf16* panel) {
    std::fill(panel + (depth + depth % 2) * Across, panel + MatrixUnit::whole(depth) * Across, bf16{});
  }
  /// At most W lines, of at most 2 W numbers.
  [[gnu::always_inline]] static void turn_block(const bf16* from, dim_t row, dim_t lines, dim_t depth, bf16* to,
                                                dim_t to_row) {
    if (lines < W || depth < 2 * W) {
      for (dim_t q = 0; q < lines; ++q)
        for (dim_t p = 0; p < 2 * W; ++p) to[q * to_row + p] = p < depth ? from[p * row + q] : bf16{};
      return;
    }
    Bits block[W];
#pragma GCC unroll 16
    for (int r = 0; r < W; ++r, from += 2 * row) block[r] = bits(from) >> 16 | bits(from + row);
    transpose(block);
#pragma GCC unroll 16
    for (int r = 0; r < W; ++r) std::memcpy(static_cast<void*>(to + r * to_row), &block[r], sizeof block[r]);
  }
  static Bits bits(const bf16* from) {
    return std::bit_cast<Bits>(load(from, Lanes<W>{0}));
  }
};

}  // namespace rwkv::detail
