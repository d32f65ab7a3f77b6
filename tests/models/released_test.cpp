#include <doctest/doctest.h>

#include <rwkv/models/families.hpp>

using namespace rwkv;

namespace {

// The sizes of released models, by the formulas of their papers, of the vocabulary V, the width D and the layers L.
constexpr dim_t rwkv4(dim_t V, dim_t D, dim_t L) {  // arXiv 2305.13048, appendix
  return 2 * V * D + 13 * D * D * L + D * (11 * L + 4);
}
constexpr dim_t rwkv5(dim_t V, dim_t D, dim_t L) {  // arXiv 2404.05892
  return 13 * D * D * L + 14 * D * L + 4 * D + 2 * D * V;
}
constexpr dim_t rwkv6(dim_t V, dim_t D, dim_t L) {  // the same
  return 13 * D * D * L + 464 * D * L + 4 * D + 2 * D * V;
}
constexpr dim_t rwkv7(dim_t V, dim_t D, dim_t L, dim_t w, dim_t a, dim_t v, dim_t g) {  // arXiv 2503.14456
  return 2 * D * V + 4 * D + L * D * (12 * D + 2 * (w + a + v + g) + 19) - (2 * D * v + D);
}
template <dim_t V>
constexpr bool rwkv4_sizes = parameters<v4::Model<V, 768, 12>>() == rwkv4(V, 768, 12) &&
                             parameters<v4::Model<V, 1024, 24>>() == rwkv4(V, 1024, 24) &&
                             parameters<v4::Model<V, 2048, 24>>() == rwkv4(V, 2048, 24) &&
                             parameters<v4::Model<V, 2560, 32>>() == rwkv4(V, 2560, 32);
static_assert(rwkv4_sizes<50277> && rwkv4_sizes<65536>);
static_assert(parameters<v4::Model<50277, 768, 12>>() == 169'342'464);
static_assert(parameters<v5::Model<65536, 1024, 24>>() == rwkv5(65536, 1024, 24));
static_assert(parameters<v5::Model<65536, 2048, 24>>() == rwkv5(65536, 2048, 24));
static_assert(parameters<v5::Model<65536, 2560, 32>>() == rwkv5(65536, 2560, 32));
static_assert(parameters<v6::Model<65536, 2048, 24>>() == rwkv6(65536, 2048, 24));
static_assert(parameters<v6::Model<65536, 2560, 32>>() == rwkv6(65536, 2560, 32));
static_assert(parameters<v7::Model<65536, 768, 12>>() == rwkv7(65536, 768, 12, 64, 64, 32, 128));
static_assert(parameters<v7::Model<65536, 768, 12>>() == 191'034'624);
static_assert(parameters<v7::Model<65536, 1024, 24, 64, 64, 64, 32, 128>>() == 450'767'872);
static_assert(parameters<v7::Model<65536, 2048, 24, 64, 96, 96, 64, 256>>() == 1'527'404'544);
static_assert(parameters<v7::Model<65536, 2560, 32, 64, 96, 96, 64, 320>>() == 2'947'735'040);

}  // namespace

TEST_CASE("what cmake/released_models.cmake calls a released model is what its file's sizes make of it") {
  const auto v7 = [](dim_t width, dim_t layers, std::array<dim_t, 4> ranks) {
    return v7::family.type({65536, width, layers, width / 64, 4 * width, 0, 0, ranks});
  };
  CHECK(v4::family.type({50277, 2560, 32, 0, 10240}) == "v4::Model<50277, 2560, 32>");
  CHECK(v5::family.type({65536, 2560, 32, 40, 8960, 0, 2}) == "v5::Model<65536, 2560, 32>");
  CHECK(v6::family.type({65536, 2560, 32, 40, 8960, 0, 0, {32, 64}}) == "v6::Model<65536, 2560, 32>");
  CHECK(v7(768, 12, {64, 64, 32, 128}) == "v7::Model<65536, 768, 12>");
  CHECK(v7(1024, 24, {64, 64, 32, 128}) == "v7::Model<65536, 1024, 24, 64, 64, 64, 32, 128>");
  CHECK(v7(2048, 24, {96, 96, 64, 256}) == "v7::Model<65536, 2048, 24, 64, 96, 96, 64, 256>");
  CHECK(v7(2560, 32, {96, 96, 64, 320}) == "v7::Model<65536, 2560, 32, 64, 96, 96, 64, 320>");
}
