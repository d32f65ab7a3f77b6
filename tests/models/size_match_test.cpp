#include <doctest/doctest.h>

#include <rwkv/layers/linear.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/size_match.hpp>
#include <rwkv/models/v4.hpp>

using namespace rwkv;

namespace {
struct Squares {  // N^2 parameters
  template <dim_t N>
  using of = Linear<N, N>;
};
template <dim_t N>
using Matrix = Linear<N, 1>;  // N parameters

struct Transformers {
  template <dim_t N>
  using of = gpt2::Model<96, 4 * N, 4, 4, 256>;
};
struct Rwkvs {
  template <dim_t N>
  using of = v4::Model<96, 8 * N, 4>;
};

template <class Reference, class Family>
constexpr dim_t n = SizeMatch<Reference, Family>::n;
}  // namespace

// The nearest, from below, from above, met exactly, and at both ends of the range.
static_assert(n<Matrix<10100>, Squares> == 100 && n<Matrix<10101>, Squares> == 101);
static_assert(n<Matrix<10000>, Squares> == 100 && n<Matrix<1>, Squares> == 1);
static_assert(SizeMatch<Matrix<49>, Squares, 7, 7>::n == 7 && SizeMatch<Matrix<4900>, Squares, 1, 70>::n == 70);

static_assert(std::is_same_v<SizeMatch<v4::Model<96, 128, 4>, Transformers>::type, gpt2::Model<96, 132, 4, 4, 256>>);
static_assert(std::is_same_v<SizeMatch<gpt2::Model<96, 132, 4, 4, 256>, Rwkvs>::type, v4::Model<96, 128, 4>>);

TEST_CASE("no member of the family is nearer than the one that is found") {
  using Reference = v4::Model<96, 200, 3>;
  using Match = SizeMatch<Reference, Transformers>;
  const auto off = [](dim_t found) { return std::abs(found - parameters<Reference>()); };
  CHECK(off(parameters<Transformers::of<Match::n - 1>>()) > off(Match::found));
  CHECK(off(parameters<Transformers::of<Match::n + 1>>()) > off(Match::found));
  CHECK(double(off(Match::found)) <= 0.02 * double(parameters<Reference>()));
}
