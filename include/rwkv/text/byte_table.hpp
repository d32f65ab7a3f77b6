#pragma once
#include <array>
#include <cstdint>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// The token of every byte, -1 for bytes that are none: for texts in which every byte is a token of its own.
using ByteTable = std::array<std::int32_t, 256>;

}  // namespace rwkv
