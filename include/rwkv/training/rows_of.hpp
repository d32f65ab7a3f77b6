#pragma once
#include <string>

#include <rwkv/core/error.hpp>
#include <rwkv/training/share.hpp>

namespace rwkv {

/// The rows of a batch that are a rank's, as many as any other's. Error, which calls the batch so and says the nearest
/// one that can be dealt out, if it cannot.
[[gnu::cold]] inline Share rows_of(dim_t batch, int rank, int ranks, const std::string& called = "batch") {
  const dim_t rows = batch / ranks, rest = batch % ranks;
  if (rest == 0 || batch < 1) return {rank * rows, rows};
  throw Error(called, ": expected a multiple of ", ranks, ", as many sequences for each of ", ranks, " ranks, found ",
              batch, "; the nearest is ", (rows > 0 && rest <= ranks - rest ? rows : rows + 1) * ranks);
}

}  // namespace rwkv
