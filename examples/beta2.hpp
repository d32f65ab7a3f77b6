#pragma once
#include <string>

namespace example {

/// AdamW's second moment for a model: 0.95 is GPT's, 0.99 RWKV's.
inline double beta2(const std::string& model) {
  return model == "gpt2" ? 0.95 : 0.99;
}

}  // namespace example
