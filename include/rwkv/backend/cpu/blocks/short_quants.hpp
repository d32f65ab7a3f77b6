#pragma once
#include <array>

#include <rwkv/backend/cpu/blocks/pair_sums.hpp>

namespace rwkv::detail {

/// Whether nibbles are unpacked by shifts of lanes, of four copies of their 16 bytes.
inline constexpr bool by_copies = pair_lanes == 16;

/// The place in its block of the number that lies in a lane of short_quants: where any order will do, that which
/// unpacks most quickly. Of the word that bytes 2j and 2j + 1 make, four copies show a nibble each.
constexpr int place_of_lane(int bits, int lane) {
  if (!by_copies || bits == 8) return lane;
  const int copy = lane / 8, word = lane % 8;
  return 2 * word + copy / 2 + copy % 2 * 16;
}
template <int Bits>
constexpr std::array<std::int16_t, 32> by_lane(int (*f)(int place)) {
  std::array<std::int16_t, 32> all{};
  for (int lane = 0; lane < 32; ++lane) all[std::size_t(lane)] = std::int16_t(f(place_of_lane(Bits, lane)));
  return all;
}

/// All q of a block as shorts, the offset taken off.
template <int Bits, bool Minimum>
[[gnu::always_inline]] inline void short_quants(const WeightBlock<Bits, Minimum>& block, Shorts (&q)[short_registers]) {
  using B = WeightBlock<Bits, Minimum>;
  constexpr int width = 2 * pair_lanes;
  const std::byte* const from = block.bytes + B::quants_at;
  for (int r = 0; r < short_registers; ++r) {
    if constexpr (Bits == 8) {
      Pack<std::int8_t, width> some;
      std::memcpy(&some, from + r * width, sizeof some);
      q[r] = convert<std::int16_t>(some);
      continue;
    } else if constexpr (by_copies) {
      struct {
        Pack<std::uint64_t, 2> copy[4];
      } copies;
      for (auto& copy : copies.copy) std::memcpy(&copy, from, sizeof copy);
      constexpr auto shifts = by_lane<Bits>([](int place) { return place / 16 * 4 + place % 2 * 8; });
      Shorts shift;
      std::memcpy(&shift, shifts.data(), sizeof shift);
      q[r] = std::bit_cast<Shorts>(std::bit_cast<Pack<std::uint16_t, width>>(copies) >> shift) & std::int16_t(15);
    } else {
      Pack<std::uint8_t, width> pairs;
      std::memcpy(&pairs, from + r * width % 16, sizeof pairs);
      q[r] = convert<std::int16_t>(pairs) >> (r * width < 16 ? 0 : 4) & 15;
    }
    if constexpr (Bits == 5) {
      constexpr auto bits = by_lane<Bits>([](int place) { return 1 << place % 16; });
      Shorts bit, fifth{};
      std::memcpy(&bit, bits.data() + r * width, sizeof bit);
      const std::uint32_t word = block.fifth_bits();
      for (int i = 0; i < width; ++i) fifth[i] = std::int16_t(word >> place_of_lane(Bits, r * width + i) / 16 * 16);
      q[r] += (fifth & bit) != 0 ? Shorts{} + std::int16_t(16) : Shorts{};
    }
    if constexpr (B::offset > 0) q[r] -= std::int16_t(B::offset);
  }
}

}  // namespace rwkv::detail
