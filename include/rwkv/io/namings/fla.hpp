#pragma once
#include <rwkv/io/namings/ln_x_eps.hpp>

namespace rwkv::namings {

/// Version 7 of flash-linear-attention: fla-hub/*, RWKV/RWKV7-Goose-*-HF. Linear layers stand for the factors of
/// low-rank products; older files stack the mixes.
inline constexpr LayoutRule fla_rules[] = {
    {"embeddings.weight", "emb.weight"},
    {"lm_head.weight", "head.weight"},
    {"norm.*", "ln_out.*"},
    {"layers.*.pre_norm.*", "blocks.*.ln0.*"},
    {"layers.*.attn_norm.*", "blocks.*.ln1.*"},
    {"layers.*.ffn_norm.*", "blocks.*.ln2.*"},
    {"layers.*.attn.x_x", "blocks.*.att.x_r", {.part = 0, .parts = 6, .extents = detail::row}},
    {"layers.*.attn.x_x", "blocks.*.att.x_w", {.part = 1, .parts = 6, .extents = detail::row}},
    {"layers.*.attn.x_x", "blocks.*.att.x_k", {.part = 2, .parts = 6, .extents = detail::row}},
    {"layers.*.attn.x_x", "blocks.*.att.x_v", {.part = 3, .parts = 6, .extents = detail::row}},
    {"layers.*.attn.x_x", "blocks.*.att.x_a", {.part = 4, .parts = 6, .extents = detail::row}},
    {"layers.*.attn.x_x", "blocks.*.att.x_g", {.part = 5, .parts = 6, .extents = detail::row}},
    {"layers.*.attn.x_*", "blocks.*.att.x_*", {.extents = detail::row}},
    {"layers.*.attn.k_k", "blocks.*.att.k_k", {.extents = detail::row}},
    {"layers.*.attn.k_a", "blocks.*.att.k_a", {.extents = detail::row}},
    {"layers.*.attn.r_k", "blocks.*.att.r_k", {.factor = bonus_factor}},
    {"layers.*.attn.w_lora.lora.0.weight", "blocks.*.att.w1", {.transposed = true}},
    {"layers.*.attn.a_lora.lora.0.weight", "blocks.*.att.a1", {.transposed = true}},
    {"layers.*.attn.v_lora.lora.0.weight", "blocks.*.att.v1", {.transposed = true}},
    {"layers.*.attn.g_lora.lora.0.weight", "blocks.*.att.g1", {.transposed = true}},
    {"layers.*.attn.w_lora.lora.2.weight", "blocks.*.att.w2", {.transposed = true}},
    {"layers.*.attn.a_lora.lora.2.weight", "blocks.*.att.a2", {.transposed = true}},
    {"layers.*.attn.v_lora.lora.2.weight", "blocks.*.att.v2", {.transposed = true}},
    {"layers.*.attn.g_lora.lora.2.weight", "blocks.*.att.g2", {.transposed = true}},
    {"layers.*.attn.w_lora.lora.2.bias", "blocks.*.att.w0", {.extents = detail::row}},
    {"layers.*.attn.a_lora.lora.2.bias", "blocks.*.att.a0", {.extents = detail::row}},
    {"layers.*.attn.v_lora.lora.2.bias", "blocks.*.att.v0", {.extents = detail::row}},
    {"layers.*.attn.r_proj.weight", "blocks.*.att.receptance.weight", {.factor = receptance_factor}},
    {"layers.*.attn.k_proj.weight", "blocks.*.att.key.weight"},
    {"layers.*.attn.v_proj.weight", "blocks.*.att.value.weight"},
    {"layers.*.attn.o_proj.weight", "blocks.*.att.output.weight"},
    {"layers.*.attn.g_norm.*", "blocks.*.att.ln_x.*"},
    {"layers.*.ffn.x_k", "blocks.*.ffn.x_k", {.extents = detail::row}},
    {"layers.*.ffn.*.weight", "blocks.*.ffn.*.weight"}};

inline bool is_fla(const BareNames& names) {
  return names.has("layers.0.attn.r_k") && names.has("layers.0.attn.w_lora.lora.0.weight");
}
inline constexpr Naming fla{"Hugging Face's names of flash-linear-attention", is_fla, fla_rules};

}  // namespace rwkv::namings
