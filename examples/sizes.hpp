#pragma once
#include <string>

#include <rwkv/core/error.hpp>
#include <rwkv/models/v4.hpp>

// A model is a type, so a program that lets its user choose lists the types it was compiled for.
namespace example {

inline constexpr const char* sizes = "128x4, 384x6, 768x12";

/// Calls f.operator()<Net>() with the RWKV-4 of that width x layers with the smallest listed vocabulary that holds
/// `tokens`.
template <class F>
auto with_model(const std::string& size, rwkv::dim_t tokens, F&& f) {
  const auto with_vocabulary = [&]<rwkv::dim_t Width, int Layers>() {
    if (tokens <= 128) return f.template operator()<rwkv::v4::Model<128, Width, Layers>>();
    if (tokens <= 256) return f.template operator()<rwkv::v4::Model<256, Width, Layers>>();
    throw rwkv::Error("the text has " + std::to_string(tokens) +
                      " different characters, the models of this program know at most 256; use --tokenizer bytes");
  };
  if (size == "128x4") return with_vocabulary.template operator()<128, 4>();
  if (size == "384x6") return with_vocabulary.template operator()<384, 6>();
  if (size == "768x12") return with_vocabulary.template operator()<768, 12>();
  throw rwkv::Error("--size " + size + ": expected width x layers, one of " + sizes);
}

}  // namespace example
