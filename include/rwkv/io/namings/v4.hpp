#pragma once
#include <cmath>

#include <rwkv/io/naming.hpp>
#include <rwkv/io/rwkv_cpp_file.hpp>

namespace rwkv::v4 {

/// The time_decay that a kernel uses as -exp(time_decay) = x.
inline double log_of_negative(double x) {
  return std::log(-x);
}

/// rwkv.cpp keeps the official names. Its converter drops extents of one, and stores the decay as the kernel uses it.
inline constexpr ImportRule rwkv_cpp_rules[] = {
    {"blocks.*.att.time_decay", "blocks.*.att.time_decay", {.number = log_of_negative}},
    {"blocks.*.*.time_mix_*", "blocks.*.*.time_mix_*", {.reshaped = true}}};

inline bool is_rwkv_cpp(const TensorSource& source) {
  return source.format() == RwkvCppFile::name && source.find("blocks.0.att.time_mix_r") != nullptr &&
         source.find("blocks.0.att.ln_x.weight") == nullptr;
}
inline constexpr Naming rwkv_cpp{is_rwkv_cpp, rwkv_cpp_rules};

/// Hugging Face transformers, RwkvForCausalLM. A model that was evaluated there before it was saved has att.output and
/// ffn.value divided by 2^(block / 6), and nothing in the file shows it: if its text makes no sense, that is why.
inline constexpr ImportRule transformers_rules[] = {
    {"rwkv.embeddings.weight", "emb.weight"},
    {"rwkv.ln_out.*", "ln_out.*"},
    {"rwkv.blocks.0.pre_ln.*", "blocks.0.ln0.*"},
    {"rwkv.blocks.*.ln1.*", "blocks.*.ln1.*"},
    {"rwkv.blocks.*.ln2.*", "blocks.*.ln2.*"},
    {"rwkv.blocks.*.attention.time_mix_key", "blocks.*.att.time_mix_k"},
    {"rwkv.blocks.*.attention.time_mix_value", "blocks.*.att.time_mix_v"},
    {"rwkv.blocks.*.attention.time_mix_receptance", "blocks.*.att.time_mix_r"},
    {"rwkv.blocks.*.attention.time_*", "blocks.*.att.time_*"},
    {"rwkv.blocks.*.attention.*.weight", "blocks.*.att.*.weight"},
    {"rwkv.blocks.*.feed_forward.time_mix_key", "blocks.*.ffn.time_mix_k"},
    {"rwkv.blocks.*.feed_forward.time_mix_receptance", "blocks.*.ffn.time_mix_r"},
    {"rwkv.blocks.*.feed_forward.*.weight", "blocks.*.ffn.*.weight"}};

inline bool is_transformers(const TensorSource& source) {
  return source.find("rwkv.blocks.0.attention.time_mix_key") != nullptr;
}
inline constexpr Naming transformers{is_transformers, transformers_rules};

}  // namespace rwkv::v4
