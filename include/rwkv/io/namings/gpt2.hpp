#pragma once
#include <rwkv/io/naming.hpp>

namespace rwkv::namings {

/// GPT-2 as nanoGPT saves it. The head is the table of tokens once more; masks are no parameters.
inline constexpr LayoutRule gpt2_rules[] = {{"wte.weight", "transformer.wte.weight"},
                                            {"wpe.weight", "transformer.wpe.weight"},
                                            {"ln_f.*", "transformer.ln_f.*"},
                                            {"h.*.attn.bias", LayoutRule::left_out},
                                            {"h.*.attn.masked_bias", LayoutRule::left_out},
                                            {"h.*.*.*", "transformer.h.*.*.*"},
                                            {"h.*.*.*.*", "transformer.h.*.*.*.*"},
                                            {"lm_head.weight", LayoutRule::left_out, {.copy_of = "wte.weight"}}};

inline bool is_gpt2(const BareNames& names) {
  return names.has("wte.weight") && names.has("wpe.weight") && names.has("h.0.mlp.c_fc.weight");
}
inline constexpr Naming gpt2{"nanoGPT's names", is_gpt2, gpt2_rules};

/// GPT-2 as OpenAI and Hugging Face store it: matrices are (in, out), with or without transformer. before the names.
inline constexpr LayoutRule gpt2_of_hugging_face_rules[] = {
    {"wte.weight", "transformer.wte.weight"},
    {"wpe.weight", "transformer.wpe.weight"},
    {"ln_f.*", "transformer.ln_f.*"},
    {"h.*.attn.bias", LayoutRule::left_out},
    {"h.*.attn.masked_bias", LayoutRule::left_out},
    {"h.*.attn.*.weight", "transformer.h.*.attn.*.weight", {.transposed = true}},
    {"h.*.mlp.*.weight", "transformer.h.*.mlp.*.weight", {.transposed = true}},
    {"h.*.*.*", "transformer.h.*.*.*"},
    {"h.*.*.*.*", "transformer.h.*.*.*.*"},
    {"lm_head.weight", LayoutRule::left_out, {.copy_of = "wte.weight"}}};

inline bool is_gpt2_of_hugging_face(const BareNames& names) {
  const Extents table = names.extents("wte.weight"), fc = names.extents("h.0.mlp.c_fc.weight");
  return is_gpt2(names) && table.size() == 2 && fc.size() == 2 && fc[0] == table[1];
}
inline constexpr Naming gpt2_of_hugging_face{"Hugging Face's names of GPT-2", is_gpt2_of_hugging_face,
                                             gpt2_of_hugging_face_rules,
                                             "it was trained with GELU by tanh, ours is exact: logits differ a little"};

}  // namespace rwkv::namings
