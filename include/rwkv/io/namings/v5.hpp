#pragma once
#include <cmath>

#include <rwkv/io/naming.hpp>
#include <rwkv/io/rwkv_cpp_file.hpp>

namespace rwkv::v5 {

/// The time_decay that a kernel uses as exp(-exp(time_decay)) = x.
inline double log_of_fading(double x) {
  return std::log(-std::log(x));
}
inline double logarithm(double x) {
  return std::log(x);
}

/// rwkv.cpp keeps the official names. Its converter drops or adds extents of one, and stores the decay, and 5.0's
/// time_first, as the kernel uses them. (It also takes 1e-5 for the eps of ln_x, where everybody else has 64e-5: its
/// logits differ.)
inline constexpr ImportRule rwkv_cpp_rules[] = {
    {"blocks.*.att.time_decay", "blocks.*.att.time_decay", {.number = log_of_fading, .reshaped = true}},
    {"blocks.*.att.time_first", "blocks.*.att.time_first", {.number = logarithm, .reshaped = true}},
    {"blocks.*.att.time_faaaa", "blocks.*.att.time_faaaa", {.reshaped = true}},
    {"blocks.*.*.time_mix_*", "blocks.*.*.time_mix_*", {.reshaped = true}}};

inline bool is_rwkv_cpp(const TensorSource& source) {
  return source.format() == RwkvCppFile::name && source.find("blocks.0.att.time_mix_r") != nullptr &&
         source.find("blocks.0.att.ln_x.weight") != nullptr;
}
inline constexpr Naming rwkv_cpp{is_rwkv_cpp, rwkv_cpp_rules};

}  // namespace rwkv::v5
