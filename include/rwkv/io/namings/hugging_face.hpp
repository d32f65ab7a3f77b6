#pragma once
#include <rwkv/io/namings/ln_x_eps.hpp>

namespace rwkv::namings {

/// Version 7 as its authors publish it for Hugging Face, RWKV/RWKV7-*: the official names below rwkv7., with another
/// eps. Without that prefix, they are the official layout.
inline constexpr LayoutRule hugging_face_v7_rules[] = {
    {"blocks.0.att.v0", LayoutRule::left_out},
    {"blocks.0.att.v1", LayoutRule::left_out},
    {"blocks.0.att.v2", LayoutRule::left_out},
    {"blocks.*.att.receptance.weight", "blocks.*.att.receptance.weight", {.factor = receptance_factor}},
    {"blocks.*.att.r_k", "blocks.*.att.r_k", {.factor = bonus_factor}}};

inline bool is_hugging_face_v7(const BareNames& names) {
  const TensorInfo* bonus = names.find("blocks.0.att.r_k");
  return bonus != nullptr && bonus->name.find("rwkv7.blocks.") != std::string::npos && names.has("emb.weight");
}
inline constexpr Naming hugging_face_v7{"Hugging Face's official names of version 7", is_hugging_face_v7,
                                        hugging_face_v7_rules};

/// Hugging Face transformers' RwkvForCausalLM, and the code beside RWKV/rwkv-5-world-* and RWKV/v6-Finch-*-HF.
inline constexpr LayoutRule transformers_rules[] = {
    {"embeddings.weight", "emb.weight"},
    {"blocks.0.pre_ln.*", "blocks.0.ln0.*"},
    {"blocks.*.attention.time_mix_key", "blocks.*.att.time_mix_k", {.extents = detail::row}},
    {"blocks.*.attention.time_mix_value", "blocks.*.att.time_mix_v", {.extents = detail::row}},
    {"blocks.*.attention.time_mix_receptance", "blocks.*.att.time_mix_r", {.extents = detail::row}},
    {"blocks.*.attention.time_mix_gate", "blocks.*.att.time_mix_g", {.extents = detail::row}},
    {"blocks.*.attention.time_*", "blocks.*.att.time_*"},
    {"blocks.*.attention.*.*", "blocks.*.att.*.*"},
    {"blocks.*.feed_forward.time_mix_key", "blocks.*.ffn.time_mix_k", {.extents = detail::row}},
    {"blocks.*.feed_forward.time_mix_receptance", "blocks.*.ffn.time_mix_r", {.extents = detail::row}},
    {"blocks.*.feed_forward.time_maa_*", "blocks.*.ffn.time_maa_*", {.extents = detail::row}},
    {"blocks.*.feed_forward.*.weight", "blocks.*.ffn.*.weight"}};

inline bool is_transformers(const BareNames& names) {
  return names.has("embeddings.weight") && names.has("blocks.0.attention.key.weight");
}
inline constexpr Naming transformers{"names of Hugging Face's transformers", is_transformers, transformers_rules,
                                     "if its text makes no sense, it was evaluated before it was saved, which divides "
                                     "att.output and ffn.value by 2^(block / 6) without a trace"};

}  // namespace rwkv::namings
