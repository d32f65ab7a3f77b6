#include <doctest/doctest.h>

#include <cmath>

#include <rwkv/core/random.hpp>
#include <rwkv/ops/attention/exp2.hpp>
#include <rwkv/ops/wkv4/span.hpp>

using namespace rwkv;

TEST_CASE_TEMPLATE("the kernels' own e^x and 2^x are right where they are used", T, float, double) {
  const Random random{3};
  for (int i = 0; i < 1000; ++i) {
    const T x = T(random.normals(i)[0]) * T(5);
    CHECK(detail::exp2_nonpositive(-std::abs(x)) == doctest::Approx(std::exp2(-std::abs(x))).epsilon(1e-6));
    CHECK(wkv4::weight(x) == doctest::Approx(std::exp(x)).epsilon(1e-6));
  }
}
