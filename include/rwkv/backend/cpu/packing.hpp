#pragma once
#include <algorithm>
#include <cstring>
#include <type_traits>

#include <rwkv/backend/cpu/transpose.hpp>

namespace rwkv::detail {

/// Operands made ready for registers: what one step of k needs lies side by side, in the numbers that Stored is
/// computed with. Whatever is read goes through load, which widens; a storage in blocks of 8 or 4 bits fits in here and
/// in FewRows, by a load of its own.
template <class Stored>
struct Packing {
  using T = compute_of<Stored>;
  static constexpr bool widens = !std::is_same_v<Stored, T>;
  static constexpr int W = native_width<T>;

  /// to[i] = from[i]
  [[gnu::always_inline]] static void widen(const Stored* from, dim_t n, T* to) {
    if constexpr (widens) {
      dim_t i = 0;
      for (; i + W <= n; i += W) store(to, Lanes<W>{i}, load(from, Lanes<W>{i}));
      if constexpr (W > 4)  // of 6 lines that a panel has
        for (; i + W / 2 <= n; i += W / 2) store(to, Lanes<W / 2>{i}, load(from, Lanes<W / 2>{i}));
      for (; i < n; ++i) to[i] = load(from, i);
    } else {
      std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
    }
  }

  /// Packs lines that lie side by side, Across to a panel, panels `panel` numbers apart; lines that are missing from
  /// the last one become zeros.
  template <int Across>
  [[gnu::noinline]] static void columns(const Stored* from, dim_t row, dim_t lines, dim_t depth, T* to, dim_t panel) {
    constexpr dim_t ahead = 16, line = 64 / sizeof(Stored);  // rows lie further apart than a prefetcher looks
    const dim_t whole = lines / Across * Across;
    for (dim_t p = 0; p < depth; ++p, from += row, to += Across) {
      for (dim_t q = 0; q < lines && p + ahead < depth; q += line) __builtin_prefetch(from + ahead * row + q);
      T* out = to;
      for (dim_t q = 0; q < whole; q += Across, out += panel) widen(from + q, Across, out);
      if (whole < lines) {
        for (dim_t q = whole; q < lines; ++q) out[q - whole] = load(from, q);
        std::fill(out + (lines - whole), out + Across, T(0));
      }
    }
  }

  /// Packs one panel of at most Across lines that are rows, W by W; lines that are missing become zeros.
  template <int Across>
  [[gnu::noinline]] static void rows(const Stored* from, dim_t row, dim_t lines, dim_t depth, T* to) {
    lines = std::min<dim_t>(lines, Across);
    if (lines < Across) std::fill_n(to, Across * depth, T(0));
    for (dim_t q = 0; q < lines; q += W) {
      const dim_t whole = lines - q < W ? 0 : depth / W * W;
      for (dim_t p = 0; p < whole; p += W) {
        Pack<T, W> block[W];
#pragma GCC unroll 16
        for (int r = 0; r < W; ++r) block[r] = load(from + (q + r) * row, Lanes<W>{p});
        transpose(block);
#pragma GCC unroll 16
        for (int r = 0; r < W; ++r) store(to + (p + r) * Across, Lanes<W>{q}, block[r]);
      }
      for (dim_t r = q; r < std::min(q + W, lines); ++r)
        for (dim_t p = whole; p < depth; ++p) to[p * Across + r] = load(from, r * row + p);
    }
  }
};

}  // namespace rwkv::detail
