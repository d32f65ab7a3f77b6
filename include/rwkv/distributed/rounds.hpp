#pragma once
#include <algorithm>

#include <rwkv/training/share.hpp>

namespace rwkv::detail {

/// Numbers of a share that travel at a time where those of all ranks are so many: no more than the longest share has.
constexpr dim_t piece_of(dim_t n, int size, dim_t together) {
  return std::max<dim_t>(std::min(together / size, share_of(n, size - 1, size).size), 1);
}

/// n numbers in pieces that travel at a time: in every round a piece of each rank's share, of `piece` numbers at most.
struct Rounds {
  dim_t n;
  int size;  // ranks
  dim_t piece;

  /// The last share is the longest.
  constexpr dim_t count() const { return pieces(share_of(n, size - 1, size).size); }
  constexpr Share of(int rank, dim_t round) const {
    const Share share = share_of(n, rank, size);
    const dim_t done = std::min(round * piece, share.size);
    return {share.first + done, std::min(piece, share.size - done)};
  }

 private:
  constexpr dim_t pieces(dim_t numbers) const { return numbers / piece + (numbers % piece != 0); }
};

}  // namespace rwkv::detail
