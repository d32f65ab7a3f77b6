#include <doctest/doctest.h>

#include <rwkv/core/bf16_pairs.hpp>

#ifdef __AVX512BF16__
#include <cmath>
#include <limits>
#include <random>

using namespace rwkv;

namespace {
/// A float that the unit sees: one too small to be normal is 0 of its sign.
float seen(float x) {
  return std::abs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x;
}
float upper(std::uint32_t pair) {
  return seen(std::bit_cast<float>(pair & 0xFFFF0000u));
}
float lower(std::uint32_t pair) {
  return seen(std::bit_cast<float>(pair << 16));
}
/// x y + sum, rounded once, as the unit does. What rounds up to the smallest normal number is one.
float fused(float x, float y, float sum) {
  return seen(std::fma(x, y, sum));
}
}  // namespace

TEST_CASE("products of pairs are those of the upper halves, then of the lower ones, each rounded once") {
  std::mt19937 random(7);
  std::uniform_int_distribution<std::uint32_t> bits, exponent(0, 255), near(110, 140);
  const auto pair = [&](auto& exponents) {
    const auto half = [&] { return (bits(random) & 0x807Fu) | exponents(random) << 7; };
    const std::uint32_t low = half();
    return low | half() << 16;
  };
  int differ = 0;
  for (int round = 0; round < 40000; ++round) {
    detail::Bf16Pairs x, y;
    Pack<float, 16> sum;
    for (int i = 0; i < 16; ++i) {
      const bool anything = i % 2 == 0;
      x[i] = anything ? pair(exponent) : pair(near), y[i] = anything ? pair(exponent) : pair(near);
      sum[i] = std::bit_cast<float>(anything ? bits(random) : (bits(random) & 0x807FFFFFu) | near(random) << 23);
    }
    const Pack<float, 16> found = detail::add_pair_products(sum, x, y);
    for (int i = 0; i < 16; ++i) {
      const float wanted = fused(lower(x[i]), lower(y[i]), fused(upper(x[i]), upper(y[i]), seen(sum[i])));
      differ += std::isnan(wanted) ? !std::isnan(found[i])
                                   : std::bit_cast<std::uint32_t>(wanted) != std::bit_cast<std::uint32_t>(found[i]);
    }
  }
  CHECK(differ == 0);
}
#endif
