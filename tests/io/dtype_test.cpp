#include <cmath>
#include <limits>
#include <vector>

#include <rwkv/io/tensor_info.hpp>

#include <doctest/doctest.h>

using namespace rwkv;

TEST_CASE("dtypes have the names and sizes of safetensors") {
  CHECK(name_of(Dtype::f64) == "F64");
  CHECK(name_of(Dtype::bf16) == "BF16");
  CHECK(name_of(Dtype::boolean) == "BOOL");
  CHECK(bytes_of(Dtype::f16) == 2);
  CHECK(bytes_of(Dtype::i64) == 8);
  CHECK(bytes_of(Dtype::u8) == 1);
  for (int i = 0; i <= int(Dtype::boolean); ++i) CHECK(dtype_named(name_of(Dtype(i))) == Dtype(i));
  CHECK(dtype_named("") == Dtype::other);
  CHECK(!dtype_named("Q8_0"));  // ggml's
  CHECK(!dtype_named("F99"));
  CHECK(dtype_of<float> == Dtype::f32);
  CHECK(dtype_of<std::int64_t> == Dtype::i64);
  CHECK(dtype_of<std::uint8_t> == Dtype::u8);
}

TEST_CASE("quantised rows are whole blocks, which become floats") {
  const auto size = [](std::vector<dim_t> shape) { return byte_size(Dtype::q5_1, shape); };
  CHECK(block_of(Dtype::f16) == 1);
  CHECK(block_of(Dtype::q5_1) == 32);
  CHECK(size({3, 64}) == 3 * 2 * 24);
  CHECK(size({0, 64}) == 0);
  CHECK(!size({}));
  CHECK(!size({64, 3}));
  CHECK(!size({-64}));
  CHECK(!size({dim_t(1) << 60, 32}));
  CHECK(is_real(Dtype::q8_0));
  CHECK(holds(Dtype::f32, Dtype::q8_0));
  CHECK(holds(Dtype::bf16, Dtype::q6_k));
  CHECK(holds(Dtype::q8_0, Dtype::f32));  // rounded
  CHECK(holds(Dtype::q8_0, Dtype::q4_0));
  CHECK(!holds(Dtype::q8_0, Dtype::f64));
  CHECK(!holds(Dtype::i32, Dtype::q4_0));
}

TEST_CASE("a dtype holds what it can take exactly; 16 bits are rounded to from 32") {
  for (const Dtype from : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    CHECK(holds(Dtype::f32, from));
    CHECK(holds(Dtype::bf16, from));
    CHECK(holds(Dtype::f64, from));
    CHECK(!holds(Dtype::i32, from));
  }
  CHECK(!holds(Dtype::f32, Dtype::f64));
  CHECK(!holds(Dtype::bf16, Dtype::f64));
  CHECK(!holds(Dtype::f32, Dtype::i8));
  CHECK(holds(Dtype::i32, Dtype::i32));
}

TEST_CASE("every half is the float that IEEE 754 says") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = bits & 0x8000 ? -1 : 1;
    const float x = from_f16(std::uint16_t(bits));
    bool right = std::signbit(x) == (sign < 0);
    if (exponent == 31 && fraction != 0)
      right = right && std::isnan(x);
    else if (exponent == 31)
      right = right && std::isinf(x);
    else if (exponent == 0)
      right = right && x == sign * std::ldexp(fraction, -24);
    else
      right = right && x == sign * std::ldexp(1024 + fraction, exponent - 25);
    REQUIRE_MESSAGE(right, "bits ", bits);
  }
}

TEST_CASE("convert reads any real, at any alignment") {
  std::vector<std::byte> file(1 + 3 * sizeof(double));
  const double values[] = {1.5, -0.1, 1e300};
  std::memcpy(file.data() + 1, values, sizeof values);
  float f[3];
  convert(Dtype::f64, file.data() + 1, std::span<float>(f));
  CHECK(f[0] == 1.5f);
  CHECK(f[1] == -0.1f);
  CHECK(std::isinf(f[2]));
  double d[3];
  convert(Dtype::f64, file.data() + 1, std::span<double>(d));
  CHECK(d[1] == -0.1);
  const std::uint16_t halves[] = {0x3C00, 0xC000};
  std::memcpy(file.data() + 1, halves, sizeof halves);
  convert(Dtype::f16, file.data() + 1, std::span<double>(d, 2));
  CHECK(d[0] == 1);
  CHECK(d[1] == -2);
  const std::uint16_t upper_halves[] = {0x3FC0, 0xFF80};
  std::memcpy(file.data() + 1, upper_halves, sizeof upper_halves);
  convert(Dtype::bf16, file.data() + 1, std::span<float>(f, 2));
  CHECK(f[0] == 1.5f);
  CHECK(f[1] == -std::numeric_limits<float>::infinity());
}
