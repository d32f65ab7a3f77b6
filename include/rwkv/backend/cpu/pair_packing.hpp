#pragma once
#include <rwkv/core/bf16_pairs.hpp>

#if defined(__AVX512BF16__) && !defined(__CUDACC__)
#include <algorithm>

#include <rwkv/backend/cpu/transpose.hpp>

namespace rwkv::detail {

/// What Packing does, for bf16 that are multiplied as pairs along k: two numbers of a line lie side by side, then those
/// of the next line. Where k is odd, the last pair's partner is 0.
struct PairPacking {
  static constexpr bool widens = false;
  static constexpr int W = width_of<Bf16Pairs>;

  /// Packs lines that lie side by side, Across to a panel, panels `panel` numbers apart; lines that are missing from
  /// the last one become zeros.
  template <int Across>
  [[gnu::noinline]] static void columns(const bf16* from, dim_t row, dim_t lines, dim_t depth, bf16* to, dim_t panel) {
    constexpr dim_t ahead = 16, line = 64 / sizeof(bf16);  // rows lie further apart than a prefetcher looks
    const dim_t whole = lines / Across * Across;
    for (dim_t p = 0; p < depth; p += 2, from += 2 * row, to += 2 * Across) {
      for (dim_t q = 0; q < lines && p + ahead + 1 < depth; q += line) {
        __builtin_prefetch(from + ahead * row + q);
        __builtin_prefetch(from + (ahead + 1) * row + q);
      }
      const bf16* const next = p + 1 < depth ? from + row : nullptr;
      bf16* out = to;
      for (dim_t q = 0; q < whole; q += Across, out += panel)
        interleave<Across>(from + q, next ? next + q : nullptr, out);
      if (whole < lines) {
        for (dim_t q = whole; q < lines; ++q) put(out + 2 * (q - whole), from[q], next ? next[q] : zero);
        std::fill(out + 2 * (lines - whole), out + 2 * Across, zero);
      }
    }
  }

  /// The same of any number of lines, as a single panel.
  static void pair_up(const bf16* from, dim_t row, dim_t lines, dim_t depth, bf16* to) {
    for (dim_t p = 0; p < depth; p += 2, from += 2 * row, to += 2 * lines) {
      const bf16* const next = p + 1 < depth ? from + row : nullptr;
      dim_t q = 0;
      for (; q + W <= lines; q += W) interleave<W>(from + q, next ? next + q : nullptr, to + 2 * q);
      for (; q < lines; ++q) put(to + 2 * q, from[q], next ? next[q] : zero);
    }
  }

  /// Packs one panel of at most Across lines that are rows; lines that are missing become zeros.
  template <int Across>
  [[gnu::noinline]] static void rows(const bf16* from, dim_t row, dim_t lines, dim_t depth, bf16* to) {
    lines = std::min<dim_t>(lines, Across);
    if (lines < Across) std::fill_n(to, Across * (depth + depth % 2), zero);
    for (dim_t q = 0; q < lines; q += W) {
      const dim_t whole = lines - q < W ? 0 : depth / (2 * W) * (2 * W);
      for (dim_t p = 0; p < whole; p += 2 * W) {
        Bf16Pairs block[W];
#pragma GCC unroll 16
        for (int r = 0; r < W; ++r) block[r] = bf16_pairs_at(from + (q + r) * row + p);
        transpose(block);
#pragma GCC unroll 16
        for (int r = 0; r < W; ++r)
          std::memcpy(static_cast<void*>(to + (p + 2 * r) * Across + 2 * q), &block[r], sizeof block[r]);
      }
      for (dim_t r = q; r < std::min(q + W, lines); ++r) {
        const bf16* const one = from + r * row;
        for (dim_t p = whole; p < depth; p += 2)
          put(to + p * Across + 2 * r, one[p], p + 1 < depth ? one[p + 1] : zero);
      }
    }
  }

 private:
  static constexpr bf16 zero{};

  static void put(bf16* to, bf16 x, bf16 next) {
    to[0] = x, to[1] = next;
  }
  /// Pairs of the numbers of two rows, or of one and zeros.
  template <int Across>
  [[gnu::always_inline]] static void interleave(const bf16* from, const bf16* next, bf16* to) {
    constexpr int some = std::min(Across, W);
    static_assert(Across % some == 0);
    using Bits = Pack<std::uint32_t, some>;
#pragma GCC unroll 4
    for (int q = 0; q < Across; q += some) {
      Bits pairs = std::bit_cast<Bits>(load(from, Lanes<some>{q})) >> 16;
      if (next) pairs |= std::bit_cast<Bits>(load(next, Lanes<some>{q}));
      std::memcpy(static_cast<void*>(to + 2 * q), &pairs, sizeof pairs);
    }
  }
};

}  // namespace rwkv::detail
#endif
