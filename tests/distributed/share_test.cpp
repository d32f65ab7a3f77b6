#include <doctest/doctest.h>

#include <rwkv/distributed/rounds.hpp>

using namespace rwkv;

namespace {
constexpr dim_t most = (dim_t{1} << 60) - 1;  // bytes that no machine has
constexpr dim_t sizes[] = {0, 1, 15, 16, 17, 31, 32, 97, 1000, 65537, (dim_t{1} << 31) + 5, (dim_t{1} << 40) + 3, most};
}  // namespace

TEST_CASE("shares cover all numbers, one after the other, and begin at multiples of 16") {
  for (const dim_t n : sizes)
    for (const int size : {1, 2, 3, 4, 7, 16, 1000}) {
      INFO(n, " numbers, ", size, " ranks");
      dim_t next = 0;
      bool right = true;
      for (int rank = 0; rank < size; ++rank) {
        const Share share = share_of(n, rank, size);
        right = right && share.first == next && share.first % 16 == 0 && share.size >= 0;
        right = right && share.size >= n / size - 16 && share.size <= n / size + 16 * size;
        right = right && (rank + 1 == size || share.size == share_of(n, 0, size).size);
        next += share.size;
      }
      CHECK(right);
      CHECK(next == n);
    }
}

TEST_CASE("rounds carry every number of every share once, a piece at a time") {
  for (const dim_t n : sizes)
    for (const int size : {1, 2, 3, 7})
      for (const dim_t together : {dim_t{1} << 20, n / 3 + 1, n / 40 + 1}) {
        const dim_t piece = detail::piece_of(n, size, together);
        const detail::Rounds rounds{n, size, piece};
        INFO(size, " ranks, ", n, " numbers, ", piece, " a piece");
        bool right = true;
        for (int rank = 0; rank < size; ++rank) {
          const Share share = share_of(n, rank, size), last = rounds.of(rank, rounds.count() - 1);
          dim_t next = share.first;
          for (dim_t round = 0; round < std::min<dim_t>(rounds.count(), 100); ++round) {
            const Share part = rounds.of(rank, round);
            right = right && part.first == next && part.size >= 0 && part.size <= piece;
            next += part.size;
          }
          if (rounds.count() <= 100) right = right && next == share.first + share.size;
          right = right && (rounds.count() == 0 || last.first + last.size == share.first + share.size);
          right = right && rounds.of(rank, rounds.count()).size == 0;
        }
        CHECK(right);
      }
}
