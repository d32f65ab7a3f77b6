#pragma once
#include <cmath>

#include <rwkv/io/naming.hpp>

namespace rwkv::namings {
namespace detail {
using namespace rwkv::detail;

inline constexpr LayoutChange row_and_flat{.extents = row, .extents_back = flat};
/// One of so many stacked rows of (1, 1, C), (n, 1, 1, C) together.
constexpr LayoutChange fused(int part, int parts) {
  return {.part = part, .parts = parts, .extents = row, .extents_back = row_of_four};
}
/// A GGUF of version 6 whose graph halves the residual stream now and then holds what is added to it divided.
inline double undivided(const LayoutFacts& facts, int block) {
  return facts.halved_every > 0 ? std::ldexp(1., int(block / facts.halved_every)) : 1;
}
}  // namespace detail

/// Version 6 as llama.cpp's converter lays it out.
inline constexpr LayoutRule gguf_v6_rules[] = {
    {"token_embd.weight", "emb.weight"},
    {"token_embd_norm.*", "blocks.0.ln0.*"},
    {"output_norm.*", "ln_out.*"},
    {"output.weight", "head.weight"},
    {"blk.*.attn_norm.*", "blocks.*.ln1.*"},
    {"blk.*.attn_norm_2.*", "blocks.*.ln2.*"},
    {"blk.*.time_mix_w1.weight", "blocks.*.att.time_maa_w1", {.transposed = true}},
    {"blk.*.time_mix_w2.weight", "blocks.*.att.time_maa_w2", {.transposed = true}},
    {"blk.*.time_mix_lerp_x.weight", "blocks.*.att.time_maa_x", detail::row_and_flat},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.time_maa_w", detail::fused(0, 5)},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.time_maa_k", detail::fused(1, 5)},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.time_maa_v", detail::fused(2, 5)},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.time_maa_r", detail::fused(3, 5)},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.time_maa_g", detail::fused(4, 5)},
    {"blk.*.time_mix_lerp_w.weight", "blocks.*.att.time_maa_w", detail::row_and_flat},  // older files
    {"blk.*.time_mix_lerp_k.weight", "blocks.*.att.time_maa_k", detail::row_and_flat},
    {"blk.*.time_mix_lerp_v.weight", "blocks.*.att.time_maa_v", detail::row_and_flat},
    {"blk.*.time_mix_lerp_r.weight", "blocks.*.att.time_maa_r", detail::row_and_flat},
    {"blk.*.time_mix_lerp_g.weight", "blocks.*.att.time_maa_g", detail::row_and_flat},
    {"blk.*.time_mix_first.weight", "blocks.*.att.time_faaaa"},
    {"blk.*.time_mix_decay.weight", "blocks.*.att.time_decay", detail::row_and_flat},
    {"blk.*.time_mix_decay_w1.weight", "blocks.*.att.time_decay_w1", {.transposed = true}},
    {"blk.*.time_mix_decay_w2.weight", "blocks.*.att.time_decay_w2", {.transposed = true}},
    {"blk.*.time_mix_key.weight", "blocks.*.att.key.weight"},
    {"blk.*.time_mix_value.weight", "blocks.*.att.value.weight"},
    {"blk.*.time_mix_receptance.weight", "blocks.*.att.receptance.weight"},
    {"blk.*.time_mix_gate.weight", "blocks.*.att.gate.weight"},
    {"blk.*.time_mix_output.weight", "blocks.*.att.output.weight", {.factor = detail::undivided}},
    {"blk.*.time_mix_ln.*", "blocks.*.att.ln_x.*"},
    {"blk.*.channel_mix_lerp_k.weight", "blocks.*.ffn.time_maa_k", detail::row_and_flat},
    {"blk.*.channel_mix_lerp_r.weight", "blocks.*.ffn.time_maa_r", detail::row_and_flat},
    {"blk.*.channel_mix_key.weight", "blocks.*.ffn.key.weight"},
    {"blk.*.channel_mix_receptance.weight", "blocks.*.ffn.receptance.weight"},
    {"blk.*.channel_mix_value.weight", "blocks.*.ffn.value.weight", {.factor = detail::undivided}}};

inline bool is_gguf_v6(const BareNames& names) {
  return names.has("blk.0.time_mix_first.weight") && names.has("blk.0.time_mix_w1.weight");
}
inline constexpr Naming gguf_v6{"llama.cpp's names of version 6", is_gguf_v6, gguf_v6_rules};

/// Version 7 as llama.cpp's converter lays it out. What the first block has of v0, v1 and v2 is a copy that nothing
/// reads.
inline constexpr LayoutRule gguf_v7_rules[] = {
    {"token_embd.weight", "emb.weight"},
    {"token_embd_norm.*", "blocks.0.ln0.*"},
    {"output_norm.*", "ln_out.*"},
    {"output.weight", "head.weight"},
    {"blk.*.attn_norm.*", "blocks.*.ln1.*"},
    {"blk.*.attn_norm_2.*", "blocks.*.ln2.*"},
    {"blk.0.time_mix_v0.weight", LayoutRule::left_out},
    {"blk.0.time_mix_v1.weight", LayoutRule::left_out},
    {"blk.0.time_mix_v2.weight", LayoutRule::left_out},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.x_r", detail::fused(0, 6)},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.x_w", detail::fused(1, 6)},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.x_k", detail::fused(2, 6)},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.x_v", detail::fused(3, 6)},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.x_a", detail::fused(4, 6)},
    {"blk.*.time_mix_lerp_fused.weight", "blocks.*.att.x_g", detail::fused(5, 6)},
    {"blk.*.time_mix_w0.weight", "blocks.*.att.w0", detail::row_and_flat},
    {"blk.*.time_mix_a0.weight", "blocks.*.att.a0", detail::row_and_flat},
    {"blk.*.time_mix_v0.weight", "blocks.*.att.v0", detail::row_and_flat},
    {"blk.*.time_mix_w1.weight", "blocks.*.att.w1", {.transposed = true}},
    {"blk.*.time_mix_w2.weight", "blocks.*.att.w2", {.transposed = true}},
    {"blk.*.time_mix_a1.weight", "blocks.*.att.a1", {.transposed = true}},
    {"blk.*.time_mix_a2.weight", "blocks.*.att.a2", {.transposed = true}},
    {"blk.*.time_mix_v1.weight", "blocks.*.att.v1", {.transposed = true}},
    {"blk.*.time_mix_v2.weight", "blocks.*.att.v2", {.transposed = true}},
    {"blk.*.time_mix_g1.weight", "blocks.*.att.g1", {.transposed = true}},
    {"blk.*.time_mix_g2.weight", "blocks.*.att.g2", {.transposed = true}},
    {"blk.*.time_mix_k_k.weight", "blocks.*.att.k_k", detail::row_and_flat},
    {"blk.*.time_mix_k_a.weight", "blocks.*.att.k_a", detail::row_and_flat},
    {"blk.*.time_mix_r_k.weight", "blocks.*.att.r_k", {.extents = detail::by_head, .extents_back = detail::flat}},
    {"blk.*.time_mix_receptance.weight", "blocks.*.att.receptance.weight"},
    {"blk.*.time_mix_key.weight", "blocks.*.att.key.weight"},
    {"blk.*.time_mix_value.weight", "blocks.*.att.value.weight"},
    {"blk.*.time_mix_output.weight", "blocks.*.att.output.weight"},
    {"blk.*.time_mix_ln.*", "blocks.*.att.ln_x.*"},
    {"blk.*.channel_mix_lerp_k.weight", "blocks.*.ffn.x_k", detail::row_and_flat},
    {"blk.*.channel_mix_key.weight", "blocks.*.ffn.key.weight"},
    {"blk.*.channel_mix_value.weight", "blocks.*.ffn.value.weight"}};

inline bool is_gguf_v7(const BareNames& names) {
  return names.has("blk.0.time_mix_r_k.weight") && names.has("token_embd_norm.weight");
}
inline constexpr Naming gguf_v7{"llama.cpp's names of version 7", is_gguf_v7, gguf_v7_rules, nullptr, true};

}  // namespace rwkv::namings
