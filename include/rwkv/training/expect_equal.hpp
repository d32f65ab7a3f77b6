#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/error.hpp>

namespace rwkv {

/// Error in all ranks unless their texts are the same: `what` says of what, as "build" or "net". Every rank calls it.
template <class C>
void expect_equal(C& communicator, std::string_view what, std::string_view text) {
  const std::vector<std::string> all = communicator.gather_texts(text);
  for (std::size_t rank = 1; rank < all.size(); ++rank)
    if (all[rank] != all[0])
      throw Error(what, ": expected the same in all ", all.size(), " ranks, ", in_quotes(all[0]),
                  " as in rank 0, found ", in_quotes(all[rank]), " in rank ", rank,
                  "; start the same program with the same options everywhere");
}

}  // namespace rwkv
