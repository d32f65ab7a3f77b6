#pragma once
#include <cmath>

#include <rwkv/io/naming.hpp>
#include <rwkv/io/rwkv_cpp_file.hpp>

namespace rwkv::v4 {

namespace detail {
inline double log_of_negative(double x) {
  return std::log(-x);
}
}  // namespace detail

/// rwkv.cpp keeps the official names, but its converter drops extents of one, and stores time_decay as the kernel uses
/// it: -exp(time_decay).
inline constexpr ImportRule rwkv_cpp_rules[] = {
    {"blocks.*.att.time_decay", "blocks.*.att.time_decay", {.number = detail::log_of_negative}},
    {"blocks.*.*.time_mix_*", "blocks.*.*.time_mix_*", {.reshaped = true}}};

inline constexpr Naming rwkv_cpp{[](const TensorSource& source) {
                                   return source.format() == RwkvCppFile::name &&
                                          source.find("blocks.0.att.time_mix_r") != nullptr &&
                                          source.find("blocks.0.att.ln_x.weight") == nullptr;
                                 },
                                 rwkv_cpp_rules};

}  // namespace rwkv::v4
