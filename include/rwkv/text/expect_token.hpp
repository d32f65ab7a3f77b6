#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <rwkv/core/config.hpp>
#include <rwkv/core/error.hpp>

namespace rwkv {

/// Error unless a tokenizer of `size` tokens has token `id`.
inline void expect_token(std::int32_t id, dim_t size, std::string_view tokenizer) {
  if (id >= 0 && id < size) return;
  throw Error("token ", id, ": expected 0 to ", size - 1, ", which the tokenizer \"", tokenizer,
              "\" has; use the tokenizer that was saved with the model");
}

}  // namespace rwkv
