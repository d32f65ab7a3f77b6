#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <rwkv/core/bf16.hpp>
#include <rwkv/core/random.hpp>

using namespace rwkv;

namespace {
bf16 of_bits(std::uint32_t bits) {
  bf16 x{};
  x.bits = std::uint16_t(bits);
  return x;
}
float float_of_bits(std::uint32_t bits) {
  return std::bit_cast<float>(bits);
}
/// Stored and loaded by every width of lanes, and one by one.
template <int W>
void check_lanes(const std::vector<float>& x) {
  for (std::size_t i = 0; i + W <= x.size(); i += W) {
    Pack<float, W> pack;
    std::memcpy(&pack, x.data() + i, sizeof pack);
    bf16 together[W], one[W];
    float lanes[W], alone[W];
    store(together, Lanes<W>{0}, pack);
    pack = load(static_cast<const bf16*>(together), Lanes<W>{0});
    std::memcpy(lanes, &pack, sizeof pack);
    for (int j = 0; j < W; ++j) store(one, j, x[i + std::size_t(j)]), alone[j] = load(one, j);
    REQUIRE(std::memcmp(together, one, sizeof one) == 0);
    REQUIRE(std::memcmp(lanes, alone, sizeof alone) == 0);
  }
}
}  // namespace

TEST_CASE("every bf16 comes back from float as it was; NaN stays NaN, of its sign") {
  static_assert(sizeof(bf16) == 2 && std::is_trivial_v<bf16>);
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float wide = of_bits(bits);
    REQUIRE(std::bit_cast<std::uint32_t>(wide) == bits << 16);
    const bf16 back(wide);
    if (std::isnan(wide)) {
      REQUIRE(std::isnan(float(back)));
      REQUIRE((back.bits & 0x8000) == (bits & 0x8000));
    } else {
      REQUIRE(back.bits == bits);
    }
  }
}

TEST_CASE("a float becomes the nearest bf16, the even one of two") {
  for (const std::uint32_t sign : {0u, 0x8000u})
    for (std::uint32_t low = 0; low < 0x7F80; ++low) {  // the last one's neighbour is infinity
      const std::uint32_t bits = sign | low, middle = bits << 16 | 0x8000;
      REQUIRE(bf16(float_of_bits(middle - 1)).bits == bits);
      REQUIRE(bf16(float_of_bits(middle + 1)).bits == bits + 1);
      REQUIRE(bf16(float_of_bits(middle)).bits == bits + (bits & 1));
    }
  for (const std::uint32_t payload : {1u, 0x7FFFu, 0x8000u, 0xFFFFu, 0x7FFFFFu})  // of which the upper half may be none
    for (const std::uint32_t sign : {0u, 0x80000000u})
      CHECK(std::isnan(float(bf16(float_of_bits(sign | 0x7F800000u | payload)))));
  CHECK(float(bf16(HUGE_VALF)) == HUGE_VALF);
  CHECK(float(bf16(-HUGE_VALF)) == -HUGE_VALF);
}

TEST_CASE("lanes give the same bits as numbers one by one") {
  std::vector<float> x{0, -0.f, HUGE_VALF, -HUGE_VALF, std::nanf(""), -std::nanf(""), 1e-45f, 3e38f};
  for (std::uint64_t i = 0; i < 4096; ++i)
    x.push_back(float_of_bits(std::uint32_t(Random{1, 2}.bits(i))));  // any exponent, NaN among them
  check_lanes<1>(x), check_lanes<(native_width<float> + 1) / 2>(x), check_lanes<native_width<float>>(x);
}

TEST_CASE("the limits of bf16 are those of its bits") {
  using Limits = std::numeric_limits<bf16>;
  static_assert(Limits::is_specialized);
  CHECK(float(of_bits(bf16(1.f).bits + 1u)) - 1 == Limits::epsilon());
  CHECK(bf16(Limits::max()).bits == 0x7F7F);
  CHECK(float(of_bits(0x7F7F)) == Limits::max());
  CHECK(Limits::lowest() == -Limits::max());
}
