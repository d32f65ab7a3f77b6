#pragma once
#include <rwkv/backend/cpu/blocks/pair_sums.hpp>

namespace rwkv::detail {

/// The higher of the two bytes of a short, q = 256 high + low, which both have a sign.
constexpr int high_byte(int q) {
  return (q + 128) >> 8;
}

/// Whether the processor multiplies bytes in registers of 64 and adds up fours of them: then two blocks go at once, and
/// a short is two bytes, x = 256 high + low, which loses nothing.
#if defined(__AVX512VNNI__) && !defined(__CUDACC__)
template <class Stored>
inline constexpr bool by_byte_pairs = Stored::bits != 5;

using FoursOfBytes = Pack<std::int32_t, 16>;

/// sums + the sums of four neighbouring products of q, from 0 to 255, and x, from -128 to 127.
[[gnu::always_inline]] inline FoursOfBytes sum_fours(FoursOfBytes sums, FoursOfBytes q, FoursOfBytes x) {
#ifdef __clang__
  return __builtin_ia32_vpdpbusd512(sums, q, x);
#else
  return __builtin_ia32_vpdpbusd_v16si(sums, q, x);
#endif
}

/// What is to be taken off a byte of byte_quants.
template <class Stored>
inline constexpr int byte_offset = Stored::bits == 8 ? 128 : Stored::offset;

/// Two blocks as bytes from 0 on.
[[gnu::always_inline]] inline FoursOfBytes byte_quants(const Q8_0& first, const Q8_0& second) {
  Pack<std::uint64_t, 4> a, b;
  std::memcpy(&a, first.bytes + Q8_0::quants_at, sizeof a);
  std::memcpy(&b, second.bytes + Q8_0::quants_at, sizeof b);
  return std::bit_cast<FoursOfBytes>(__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7) ^ 0x8080808080808080u);
}
template <bool Minimum>
[[gnu::always_inline]] inline FoursOfBytes byte_quants(const WeightBlock<4, Minimum>& first,
                                                       const WeightBlock<4, Minimum>& second) {
  using B = WeightBlock<4, Minimum>;
  const auto copies = [](const B& block) {
    struct {
      Pack<std::uint64_t, 2> copy[4];
    } all;
    for (auto& copy : all.copy) std::memcpy(&copy, block.bytes + B::quants_at, sizeof copy);
    return std::bit_cast<Pack<std::uint64_t, 8>>(all);
  };
  const auto parts = shuffle<0, 1, 2, 3, 12, 13, 14, 15>(copies(first), copies(second));
  using Words = Pack<std::uint32_t, 16>;
  constexpr Words shift{0, 0, 0, 0, 4, 4, 4, 4, 0, 0, 0, 0, 4, 4, 4, 4};
  return std::bit_cast<FoursOfBytes>(std::bit_cast<Words>(parts) >> shift & 0x0F0F0F0Fu);
}
/// A half in eight lanes, another in the rest.
[[gnu::always_inline]] inline Pack<float, 16> floats_of_halves(std::uint16_t first, std::uint16_t second) {
  return shuffle<0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31>(float_of_half(first), float_of_half(second));
}

#else
template <class Stored>
inline constexpr bool by_byte_pairs = false;
#endif

}  // namespace rwkv::detail
