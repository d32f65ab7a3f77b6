#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <rwkv/backend/cpu/matrix_unit.hpp>

using namespace rwkv;
using detail::MatrixUnit;

namespace {
/// A float that the unit sees: one too small to be normal is 0 of its sign.
float seen(float x) {
  return std::abs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x;
}
float number(bf16 x) {
  return seen(float(x));
}
float add(float x, float y) {
  return seen(x + y);
}
float fused(float x, float y, float sum) {
  return seen(std::fma(x, y, sum));
}

constexpr dim_t wide = 32, depth = 2 * MatrixUnit::steps;

struct Operands {
  dim_t height;
  std::vector<bf16> a, b;  // b in pairs of steps
  std::vector<float> c;

  float expected(dim_t i, dim_t j, bool adds) const {
    float sum = adds ? seen(c[std::size_t(i * wide + j)]) : 0;
    for (dim_t first = 0; first < depth; first += MatrixUnit::steps) {
      float even = 0, odd = 0;
      for (dim_t p = first; p < first + MatrixUnit::steps; p += 2) {
        const auto left = [&](dim_t q) { return number(a[std::size_t(i * depth + q)]); };
        const auto right = [&](dim_t q) { return number(b[std::size_t(p * wide + 2 * j + q - p)]); };
        even = fused(left(p), right(p), even), odd = fused(left(p + 1), right(p + 1), odd);
      }
      sum = add(sum, add(even, odd));
    }
    return sum;
  }
};
}  // namespace

TEST_CASE("the matrix unit adds first and second numbers of pairs apart, each sum rounded once") {
  if (!MatrixUnit::available()) {
    MESSAGE("not tried: this program or this machine has no matrix unit");
    return;
  }
  std::mt19937 random(7);
  std::uniform_int_distribution<std::uint32_t> bits, near(110, 140), any(0, 255);
  const auto some = [&](bool anything) {
    const std::uint32_t sign_and_digits = bits(random) & 0x807F;
    return std::bit_cast<bf16>(static_cast<std::uint16_t>(sign_and_digits | (anything ? any : near)(random) << 7));
  };
  for (int round = 0; round < 40; ++round)
    for (const bool anything : {false, true})
      for (const bool adds : {false, true}) {
        Operands one{1 + round % 32, {}, {}, {}};
        one.a.resize(std::size_t(one.height * depth)), one.b.resize(wide * depth),
            one.c.resize(std::size_t(one.height * wide));
        for (bf16& x : one.a) x = some(anything);
        for (bf16& x : one.b) x = some(false);
        for (float& x : one.c) x = float(some(anything)) * 1.001f;
        auto c = one.c;
        [[maybe_unused]] const MatrixUnit::Use use;
        MatrixUnit::multiply(one.height, depth, one.a.data(), depth, one.b.data(), c.data(), wide, adds);
        int differ = 0;
        for (dim_t i = 0; i < one.height; ++i)
          for (dim_t j = 0; j < wide; ++j) {
            const float wanted = one.expected(i, j, adds), found = c[std::size_t(i * wide + j)];
            differ += std::isnan(wanted) ? !std::isnan(found)
                                         : std::bit_cast<std::uint32_t>(wanted) != std::bit_cast<std::uint32_t>(found);
          }
        CAPTURE(round);
        CAPTURE(anything);
        CAPTURE(adds);
        CHECK(differ == 0);
      }
}
