#pragma once
#include <bit>
#include <cstdint>

#include <rwkv/core/lanes.hpp>

namespace rwkv {
namespace detail {

/// The floats of IEEE binary16s, whose bits are the lower ones of whole words.
template <class Words>
[[gnu::always_inline]] RWKV_HD constexpr auto floats_of_halves(Words halves) {
  using Floats = Pack<float, width_of<Words>>;
  constexpr std::uint32_t exponent_1 = 1u << 23, infinite = 31u << 23;
  const Words magnitude = (halves & 0x7FFFu) << 13, exponent = magnitude & infinite;
  const Words subnormal = std::bit_cast<Words>(std::bit_cast<Floats>(magnitude + 113 * exponent_1) - 0x1p-14f);
  const Words normal = magnitude + 112 * exponent_1, beyond = magnitude + 224 * exponent_1;
  const Words bits = exponent == 0u ? subnormal : exponent == infinite ? beyond : normal;
  return std::bit_cast<Floats>(bits | (halves & 0x8000u) << 16);
}

/// The bits of x in a binary format of 16 bits with so many bits of fraction: to the nearest, of two such the even one.
template <int Fraction>
std::uint16_t narrowed(double x) {
  constexpr int exponent_bits = 15 - Fraction, bias = (1 << (exponent_bits - 1)) - 1;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto sign = std::uint16_t(bits >> 48 & 0x8000);
  const int exponent = int(bits >> 52 & 2047) - 1023;
  std::uint64_t fraction = bits & ((std::uint64_t(1) << 52) - 1);
  constexpr auto infinity = std::uint16_t(((1 << exponent_bits) - 1) << Fraction);
  if (exponent == 1024) return std::uint16_t(sign | infinity | (fraction != 0 ? 1 << (Fraction - 1) : 0));
  if (exponent > bias) return std::uint16_t(sign | infinity);
  int dropped = 52 - Fraction;
  std::uint64_t result = 0;
  if (exponent >= 1 - bias) {
    result = std::uint64_t(exponent + bias) << Fraction;
  } else {  // subnormal
    fraction |= std::uint64_t(1) << 52;
    dropped += 1 - bias - exponent;
    if (dropped > 53) return sign;
  }
  result += fraction >> dropped;  // a carry out of the fraction counts up the exponent, which is right
  const std::uint64_t rest = fraction & ((std::uint64_t(1) << dropped) - 1), half = std::uint64_t(1) << (dropped - 1);
  if (rest > half || (rest == half && (result & 1) != 0)) ++result;
  return std::uint16_t(sign | result);
}

}  // namespace detail

/// The float of an IEEE binary16.
RWKV_HD constexpr float from_f16(std::uint16_t bits) {
  return detail::floats_of_halves(std::uint32_t(bits));
}
/// The IEEE binary16 nearest to x.
inline std::uint16_t to_f16(double x) {
  return detail::narrowed<10>(x);
}

}  // namespace rwkv
