#include <doctest/doctest.h>

#include "attention_check.hpp"

// Attention in blocks of threads against its definition, with the tolerances of tests/ops/attention_test.cpp: over
// widths of heads whose tiles differ, lengths below and above a tile, and pasts that a ring holds in part, whole, or
// many times over.
using namespace rwkv;
using namespace attention;
using test::HostGrid;

namespace {
/// Shared memory of the kernels, as CUDA lays it out for each.
template <class T, dim_t D>
constexpr bool fit = [] {
  using namespace detail::grid;
  using Forward = AttentionForward<T, D, DropSome<20>>;
  using Queries = AttentionBackwardQueries<T, D, DropSome<20>>;
  using Keys = AttentionBackwardKeys<T, D, DropSome<20>>;
  constexpr std::size_t most = 48 << 10;
  return sizeof(typename Forward::Tile::Memory) + sizeof(typename Forward::Words) <= most &&
         sizeof(typename Queries::Tile::Memory) + sizeof(TokenNotes<T, Queries::rows>) <= most &&
         sizeof(typename Keys::Tile::Memory) + sizeof(TokenNotes<T, Keys::columns>) <= most &&
         sizeof(typename AttentionToken<T, D, DropSome<20>>::Memory) <= most - 64;
}();
template <class T, dim_t... D>
constexpr bool all_fit = (fit<T, D> && ...);
static_assert(
    std::is_base_of_v<detail::BlocksAttention<HostGrid<float>, 64>, detail::AttentionOn<HostGrid<float>, 64>>);
static_assert(all_fit<float, 1, 8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 120, 128>);
static_assert(all_fit<double, 1, 8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 120, 128>);

}  // namespace

TEST_CASE("attention in blocks is its definition, gradients included") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  check<double, 1, 1, 7>({2, 60}, random);
  check<double, 3, 5, 40>({3, 90}, random);
  check<double, 1, 19, 1>({2, 30}, random);
  check<double, 2, 33, 300>({2, 70}, random);
  check<double, 1, 64, 50>({1, 100}, random);
  check<double, 1, 128, 30>({1, 40}, random);
  check<float, 1, 8, 200>({2, 150}, random);
  check<float, 2, 24, 33>({2, 140}, random);
  check<float, 1, 32, 90>({2, 140}, random);
  check<float, 2, 64, 130>({2, 150}, random);
  check<float, 1, 80, 300>({1, 130}, random);
  check<float, 1, 96, 100>({1, 80}, random);
  check<float, 1, 128, 64>({2, 70}, random);
  check<double, 1, 130, 20>({1, 9}, random);  // by rows
}
TEST_CASE("attention in blocks is its definition below, at and above a tile") {
  std::mt19937 random(3);
  for (dim_t time : {0, 1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129}) {
    check<double, 2, 6, 50>({2, time}, random);
    check<float, 1, 64, 70>({2, time}, random);
  }
}
