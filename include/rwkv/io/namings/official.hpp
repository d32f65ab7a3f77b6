#pragma once
#include <rwkv/io/naming.hpp>

namespace rwkv::namings {

/// As the official trainers save it, of versions 4 to 7, below any wrapper's prefix. Extents of one come and go:
/// version 3, which computes as version 4 does, has them in its decays. The first block of version 7 may hold shares of
/// earlier values, of which there are none.
inline constexpr LayoutRule official_rules[] = {
    {"blocks.0.att.v0", LayoutRule::left_out},
    {"blocks.0.att.v1", LayoutRule::left_out},
    {"blocks.0.att.v2", LayoutRule::left_out},
    {"blocks.*.*.time_mix_*", "blocks.*.*.time_mix_*", {.extents = detail::row}},
    {"blocks.*.att.time_maa_w1", "blocks.*.att.time_maa_w1"},
    {"blocks.*.att.time_maa_w2", "blocks.*.att.time_maa_w2"},
    {"blocks.*.*.time_maa_*", "blocks.*.*.time_maa_*", {.extents = detail::row}},
    {"blocks.*.att.time_decay", "blocks.*.att.time_decay", {.extents = detail::squeezed}},
    {"blocks.*.att.time_first", "blocks.*.att.time_first", {.extents = detail::squeezed}},
    {"blocks.*.att.x_*", "blocks.*.att.x_*", {.extents = detail::row}},
    {"blocks.*.att.k_*", "blocks.*.att.k_*", {.extents = detail::row}},
    {"blocks.*.att.w0", "blocks.*.att.w0", {.extents = detail::row}},
    {"blocks.*.att.a0", "blocks.*.att.a0", {.extents = detail::row}},
    {"blocks.*.att.v0", "blocks.*.att.v0", {.extents = detail::row}},
    {"blocks.*.ffn.x_k", "blocks.*.ffn.x_k", {.extents = detail::row}}};

inline bool is_official(const BareNames& names) {
  return names.has("emb.weight") && (names.has("blocks.0.att.r_k") || names.has("blocks.0.att.time_mix_r") ||
                                     names.has("blocks.0.att.time_maa_x"));
}
inline constexpr Naming official{"official names", is_official, official_rules};

}  // namespace rwkv::namings
