#include <doctest/doctest.h>

#include <rwkv/drawing/grouped.hpp>

TEST_CASE("thousands are set apart for readers, and nothing but numbers is touched") {
  using drawing::grouped;
  CHECK(grouped("0") == "0");
  CHECK(grouped("999") == "999");
  CHECK(grouped("1000") == "1,000");
  CHECK(grouped("1048576") == "1,048,576");
  CHECK(grouped("-123456.7890") == "-123,456.7890");
  CHECK(grouped("-123") == "-123");
  for (const char* other : {"", "-", "1e-05", "12345e6", "rwkv4000", "1000 tokens"}) CHECK(grouped(other) == other);
}
