#pragma once
#include <rwkv/io/naming.hpp>
#include <rwkv/io/rwkv_cpp_file.hpp>

namespace rwkv::v6 {

/// rwkv.cpp keeps the official names. Its converter drops or adds extents of one, and transposes the factors of
/// low-rank products.
inline constexpr ImportRule rwkv_cpp_rules[] = {
    {"blocks.*.att.time_maa_w1", "blocks.*.att.time_maa_w1", {.transposed = true}},
    {"blocks.*.att.time_maa_w2", "blocks.*.att.time_maa_w2", {.transposed = true}},
    {"blocks.*.att.time_decay_w1", "blocks.*.att.time_decay_w1", {.transposed = true}},
    {"blocks.*.att.time_decay_w2", "blocks.*.att.time_decay_w2", {.transposed = true}},
    {"blocks.*.att.time_decay", "blocks.*.att.time_decay", {.reshaped = true}},
    {"blocks.*.att.time_faaaa", "blocks.*.att.time_faaaa", {.reshaped = true}},
    {"blocks.*.*.time_maa_*", "blocks.*.*.time_maa_*", {.reshaped = true}}};

inline bool is_rwkv_cpp(const TensorSource& source) {
  return source.format() == RwkvCppFile::name && source.find("blocks.0.att.time_maa_w1") != nullptr;
}
inline constexpr Naming rwkv_cpp{is_rwkv_cpp, rwkv_cpp_rules};

}  // namespace rwkv::v6
