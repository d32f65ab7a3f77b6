#include <doctest/doctest.h>

#include <rwkv/layers/linear.hpp>
#include <rwkv/testing/laws.hpp>

using namespace rwkv;

TEST_CASE("a check that would try nothing is refused instead of passing") {
  const auto check = [](testing::Options options) { testing::check_determinism<Linear<2, 2>>(options); };
  CHECK_THROWS_WITH_AS(check({.cases = 0}), "testing::Options: expected cases of at least 1, found 0", Error);
  CHECK_THROWS_WITH_AS(check({.most_batch = 0}), "testing::Options: expected most_batch of at least 1, found 0", Error);
  CHECK_THROWS_WITH_AS(check({.most_time = -1}), "testing::Options: expected most_time of at least 1, found -1", Error);
  CHECK_THROWS_AS(check({.vocabulary = 0}), Error);
}
