#pragma once
#include <rwkv/io/naming.hpp>
#include <rwkv/io/rwkv_cpp_file.hpp>

namespace rwkv::v7 {

/// Official files may hold a share of earlier values for the first block, which has none before it.
inline constexpr ImportRule official_rules[] = {{"blocks.0.att.v0", ImportRule::ignored},
                                                {"blocks.0.att.v1", ImportRule::ignored},
                                                {"blocks.0.att.v2", ImportRule::ignored}};

inline bool is_official(const TensorSource& source) {
  return source.format() != RwkvCppFile::name && source.find("blocks.0.att.r_k") != nullptr;
}
inline constexpr Naming official{is_official, official_rules};

/// rwkv.cpp keeps the official names. Its converter transposes the factors of low-rank products, and stacks the mixes.
inline constexpr ImportRule rwkv_cpp_rules[] = {{"blocks.0.att.v0", ImportRule::ignored},
                                                {"blocks.0.att.v1", ImportRule::ignored},
                                                {"blocks.0.att.v2", ImportRule::ignored},
                                                {"blocks.*.att.x_rwkvag", "blocks.*.att.x_r", {.part = 0, .parts = 6}},
                                                {"blocks.*.att.x_rwkvag", "blocks.*.att.x_w", {.part = 1, .parts = 6}},
                                                {"blocks.*.att.x_rwkvag", "blocks.*.att.x_k", {.part = 2, .parts = 6}},
                                                {"blocks.*.att.x_rwkvag", "blocks.*.att.x_v", {.part = 3, .parts = 6}},
                                                {"blocks.*.att.x_rwkvag", "blocks.*.att.x_a", {.part = 4, .parts = 6}},
                                                {"blocks.*.att.x_rwkvag", "blocks.*.att.x_g", {.part = 5, .parts = 6}},
                                                {"blocks.*.att.w1", "blocks.*.att.w1", {.transposed = true}},
                                                {"blocks.*.att.w2", "blocks.*.att.w2", {.transposed = true}},
                                                {"blocks.*.att.a1", "blocks.*.att.a1", {.transposed = true}},
                                                {"blocks.*.att.a2", "blocks.*.att.a2", {.transposed = true}},
                                                {"blocks.*.att.v1", "blocks.*.att.v1", {.transposed = true}},
                                                {"blocks.*.att.v2", "blocks.*.att.v2", {.transposed = true}},
                                                {"blocks.*.att.g1", "blocks.*.att.g1", {.transposed = true}},
                                                {"blocks.*.att.g2", "blocks.*.att.g2", {.transposed = true}}};

inline bool is_rwkv_cpp(const TensorSource& source) {
  return source.format() == RwkvCppFile::name && source.find("blocks.0.att.x_rwkvag") != nullptr;
}
inline constexpr Naming rwkv_cpp{is_rwkv_cpp, rwkv_cpp_rules};

}  // namespace rwkv::v7
