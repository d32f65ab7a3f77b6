#include <doctest/doctest.h>

#include <cmath>

#include <rwkv/core/random.hpp>

using rwkv::Random;

// Known answers of Philox-4x32-10, from the paper's own test vectors.
TEST_CASE("Philox gives its published words") {
  CHECK(Random{0, 0}.words(0) == std::array<std::uint32_t, 4>{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
  const std::uint64_t ones = ~std::uint64_t{0};
  CHECK(Random{ones, ones}.words(ones) ==
        std::array<std::uint32_t, 4>{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
  const Random pi{0x299f31d0a4093822u, 0x0370734413198a2eu};
  CHECK(pi.words(0x85a308d3243f6a88u) ==
        std::array<std::uint32_t, 4>{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST_CASE("numbers lie where they should") {
  const Random random{42};
  double sum = 0, squares = 0, low = 1, high = 0;
  constexpr int n = 20000;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform(i);
    low = std::min(low, u), high = std::max(high, u);
    const auto [a, b] = random.normals(i);
    sum += a + b, squares += a * a + b * b;
    CHECK(random.below(7, i) < 7);
  }
  CHECK(low >= 0);
  CHECK(high < 1);
  CHECK(high - low > 0.99);
  CHECK(std::abs(sum / (2 * n)) < 0.03);
  CHECK(std::abs(squares / (2 * n) - 1) < 0.03);
}

TEST_CASE("streams differ by seed and by name") {
  CHECK(Random{1}.bits(0) != Random{2}.bits(0));
  CHECK(Random{1}.named("a").bits(0) != Random{1}.named("b").bits(0));
  CHECK(Random{1}.named("a").bits(5) == Random{1}.named("a").bits(5));
}
