#pragma once
#include <cstddef>

#include <rwkv/core/f16.hpp>

namespace rwkv {

/// 32 neighbours of a row of weights as ggml quantises them, in so many bits each with a scale d, and a minimum m where
/// there is one: x = d q + m, or x = d (q - offset). A way to store numbers, not to compute: a pointer to blocks with
/// the index of a number loads that number.
///
/// d and m are IEEE halves; 32 fifth bits follow where there are 5, then 16 bytes of nibbles, number i in the low half
/// of byte i, i + 16 in the high one, or 32 signed bytes.
template <int Bits, bool Minimum>
struct [[gnu::may_alias]] WeightBlock {
  static constexpr dim_t numbers = 32;
  static constexpr int bits = Bits, offset = Minimum || Bits == 8 ? 0 : 1 << (Bits - 1);
  static constexpr bool has_minimum = Minimum;
  static constexpr std::size_t high_at = Minimum ? 4 : 2, quants_at = high_at + (Bits == 5 ? 4 : 0);
  std::byte bytes[quants_at + (Bits == 8 ? 32 : 16)];

  RWKV_HD std::uint16_t half(std::size_t at) const {
    std::uint16_t bits_of_it;
    std::memcpy(&bits_of_it, bytes + at, sizeof bits_of_it);
    return bits_of_it;
  }
  RWKV_HD float scale() const { return from_f16(half(0)); }
  RWKV_HD float minimum() const { return from_f16(half(2)); }
  RWKV_HD std::uint32_t fifth_bits() const {
    std::uint32_t all;
    std::memcpy(&all, bytes + high_at, sizeof all);
    return all;
  }
};
using Q4_0 = WeightBlock<4, false>;
using Q4_1 = WeightBlock<4, true>;
using Q5_0 = WeightBlock<5, false>;
using Q5_1 = WeightBlock<5, true>;
using Q8_0 = WeightBlock<8, false>;

/// Whether numbers are stored in blocks of several.
template <class T>
inline constexpr bool is_block = false;
template <int Bits, bool Minimum>
inline constexpr bool is_block<WeightBlock<Bits, Minimum>> = true;

template <int Bits, bool Minimum>
struct ComputeOf<WeightBlock<Bits, Minimum>> {
  using type = float;
};

namespace detail {

template <int W>
constexpr auto counting() {
  Pack<std::uint32_t, W> each{};
  for (int i = 0; i < W; ++i) each[i] = std::uint32_t(i);
  return each;
}
template <>
constexpr auto counting<1>() {
  return std::uint32_t(0);
}

/// q of W neighbours of a block, which lie in one of its halves; an offset is still to be taken off.
template <int W, int Bits, bool Minimum>
RWKV_HD Pack<std::int32_t, W> quants(const WeightBlock<Bits, Minimum>& block, int first) {
  const std::byte* const from = block.bytes + WeightBlock<Bits, Minimum>::quants_at;
  if constexpr (Bits == 8) {
    Pack<std::int8_t, W> q;
    std::memcpy(&q, from + first, sizeof q);
    return convert<std::int32_t>(q);
  } else {
    Pack<std::uint8_t, W> pairs;
    std::memcpy(&pairs, from + first % 16, sizeof pairs);
    auto q = convert<std::uint32_t>(pairs) >> (first < 16 ? 0u : 4u) & 15u;
    if constexpr (Bits == 5) q |= (block.fifth_bits() >> (counting<W>() + std::uint32_t(first)) & 1u) << 4;
    return convert<std::int32_t>(q);
  }
}
template <int W, int Bits, bool Minimum>
RWKV_HD Pack<float, W> numbers_of(const WeightBlock<Bits, Minimum>* p, dim_t i) {
  using B = WeightBlock<Bits, Minimum>;
  const B& block = p[i / B::numbers];
  const auto q = convert<float>(quants<W>(block, int(i % B::numbers)) - B::offset);
  if constexpr (Minimum)
    return block.scale() * q + block.minimum();
  else
    return block.scale() * q;
}

}  // namespace detail

template <int Bits, bool Minimum>
RWKV_HD float load(const WeightBlock<Bits, Minimum>* p, dim_t i) {
  return detail::numbers_of<1>(p, i);
}
/// The lanes begin at a multiple of their number, at most 16.
template <int Bits, bool Minimum, int W>
RWKV_HD Pack<float, W> load(const WeightBlock<Bits, Minimum>* p, Lanes<W> i) {
  static_assert(W <= 16);
  return detail::numbers_of<W>(p, i.first);
}

}  // namespace rwkv
