#pragma once
#include <string>

#include <rwkv/io/bare_names.hpp>

namespace rwkv::detail {

/// What a file holds that is near to our models, but none of them, as a part of a tensor's name shows.
struct UnreadableKind {
  std::string_view part;
  const char* what;
};
/// The first that is found counts.
inline constexpr UnreadableKind unreadable_kinds[] = {
    {"_strategy",
     "a model that pip rwkv converted for one strategy, with other numbers than it was trained with; take "
     "the original"},
    {".lora_A", "a LoRA, which has no model of its own; merge it into its model"},
    {".lora_B", "a LoRA, which has no model of its own; merge it into its model"},
    {"rosa", "RWKV-8 with ROSA"},
    {"qkv.ennk", "RWKV-8 rc00-hybrid"},
    {"ffn.enn.", "RWKV-8 rc00"},
    {"qkv.qq", "RWKV-7b"},
    {"ffn.s_emb", "RWKV-7a"},
    {"time_maa_rkvw_w1", "RWKV-6.0b or 6.0c, which were never released"},
    {"att.gate_w1", "RWKV-6.0a, which was never released"},
    {"self_attn.time_maa", "rwkv6qwen2, attention of RWKV-6 inside a Qwen"},
    {"self_attn.r_k", "arwkv7, attention of RWKV-7 inside a transformer"},
    {"ffnPre.", "RWKV-4 with channel mixing instead of its first attention"},
    {"head_q.", "RWKV-4 with a copying head"},
    {"tiny_", "RWKV-4 with tiny attention"},
    {"pos_emb_x", "RWKV-4 with positions"},
    {"att.qq.", "RWKV-4 with an attention beside its own"},
    {"attn.q_proj", "a transformer, or a hybrid of one"},
    {"self_attn.q_proj", "a transformer, or a hybrid of one"}};

/// "RWKV-7a, as its tensor "blocks.0.ffn.s_emb.weight" shows"; nothing if no tensor shows any.
[[gnu::cold]] inline std::string unreadable_kind(const TensorSource& file) {
  const auto with = [&](std::string_view part) -> const TensorInfo* {
    for (const TensorInfo& t : file.tensors())
      if (t.name.find(part) != std::string::npos) return &t;
    return nullptr;
  };
  const auto shown_by = [](std::string what, const TensorInfo& t) {
    return std::move(what) + ", as its tensor " + in_quotes(t.name) + " shows";
  };
  if (const TensorInfo* gate = with("blk.0.ffn_gate"); gate != nullptr) {
    if (with("blk.0.time_mix_a1") != nullptr)
      return shown_by("arwkv7, attention of RWKV-7 inside a transformer", *gate);
    if (with("blk.0.time_mix") != nullptr) return shown_by("rwkv6qwen2, attention of RWKV-6 inside a Qwen", *gate);
    return shown_by("another model of llama.cpp", *gate);
  }
  for (const UnreadableKind& kind : unreadable_kinds)
    if (const TensorInfo* t = with(kind.part)) return shown_by(kind.what, *t);
  const BareNames names(file);
  if (const TensorInfo* mix = names.find("blocks.0.att.time_mix")) return shown_by("RWKV-2 or older", *mix);
  bool states = !file.tensors().empty();
  for (const TensorInfo& t : file.tensors()) states = states && t.name.ends_with("att.time_state");
  if (states) return shown_by("initial states without their model", file.tensors().front());
  const bool model = names.has("emb.weight") && names.has("head.weight") && names.has("blocks.0.ln1.weight");
  const bool rwkv = names.has("blocks.0.att.ln_x.weight") || names.has("blocks.0.att.time_first");
  if (model && rwkv && !names.has("blocks.0.ln0.weight"))
    return "a model without blocks.0.ln0, as pip rwkv makes it for itself, with other numbers than it was trained "
           "with; "
           "take the original";
  return {};
}

}  // namespace rwkv::detail
