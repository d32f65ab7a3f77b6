#include <limits>

#include <rwkv/io/narrow.hpp>

#include <doctest/doctest.h>

using namespace rwkv;

namespace {
double from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t(bits) << 16);
}
/// All finite numbers of 16 bits come back, and what lies between two becomes the nearer one, or the even one.
int mistakes(double (*wide)(std::uint16_t), std::uint16_t (*narrow)(double), std::uint16_t infinity) {
  int n = 0;
  for (std::uint16_t bits = 0; bits < infinity; ++bits) {
    const double x = wide(bits),
                 next = bits + 1 < infinity ? wide(std::uint16_t(bits + 1)) : x + (x - wide(std::uint16_t(bits - 1)));
    const double middle = x + (next - x) / 2;
    const auto even = std::uint16_t(bits + (bits & 1));
    n += narrow(x) != bits || narrow(-x) != (bits | 0x8000) || narrow(middle) != even ||
         narrow(std::nextafter(middle, 0)) != bits || narrow(std::nextafter(middle, 1e300)) != bits + 1;
  }
  return n;
}
}  // namespace

TEST_CASE("numbers are rounded to the nearest of 16 bits, of two such to the even one") {
  CHECK(mistakes([](std::uint16_t b) { return double(from_f16(b)); }, to_f16, 0x7C00) == 0);
  CHECK(mistakes(from_bf16, to_bf16, 0x7F80) == 0);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(to_f16(infinity) == 0x7C00);
  CHECK(to_f16(-1e300) == 0xFC00);
  CHECK(to_f16(65519) == 0x7BFF);
  CHECK(to_f16(65520) == 0x7C00);
  CHECK(to_f16(std::nan("")) == 0x7E00);
  CHECK(to_bf16(std::nan("")) == 0x7FC0);
  CHECK(to_f16(5e-324) == 0);
}
