#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// What ends a text, besides its length. It is read by the model, but not shown.
struct Stop {
  std::vector<std::int32_t> tokens = {};
  std::vector<std::string> texts = {};  ///< found wherever they begin and end, also within tokens
};

}  // namespace rwkv
