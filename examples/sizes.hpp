#pragma once
#include <string>

#include <rwkv/core/error.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/v4.hpp>

// A model is a type, so a program that lets its user choose lists the types it was compiled for.
namespace example {

inline constexpr const char* models = "rwkv4 or gpt2";
inline constexpr const char* sizes = "128x4, 384x6, 768x12";
inline constexpr rwkv::dim_t context = 256;  // the most tokens that a GPT-2 of these programs knows positions for

/// Calls f.operator()<Net>() with the model of that name and width x layers (GPT-2 with heads of 64) with the smallest
/// listed vocabulary that holds `tokens`.
template <class F>
auto with_model(const std::string& model, const std::string& size, rwkv::dim_t tokens, F&& f) {
  const auto with_size = [&]<rwkv::dim_t Width, int Layers>() {
    const auto with_vocabulary = [&]<rwkv::dim_t Vocab>() {
      if (model == "rwkv4") return f.template operator()<rwkv::v4::Model<Vocab, Width, Layers>>();
      if (model == "gpt2") return f.template operator()<rwkv::gpt2::Model<Vocab, Width, Layers, Width / 64, context>>();
      throw rwkv::Error("--model " + model + ": expected " + models);
    };
    if (tokens <= 128) return with_vocabulary.template operator()<128>();
    if (tokens <= 256) return with_vocabulary.template operator()<256>();
    throw rwkv::Error("the text has " + std::to_string(tokens) +
                      " different characters, the models of this program know at most 256; use --tokenizer bytes");
  };
  if (size == "128x4") return with_size.template operator()<128, 4>();
  if (size == "384x6") return with_size.template operator()<384, 6>();
  if (size == "768x12") return with_size.template operator()<768, 12>();
  throw rwkv::Error("--size " + size + ": expected width x layers, one of " + sizes);
}

}  // namespace example
