#pragma once
#include <algorithm>
#include <cmath>

#include <rwkv/io/naming.hpp>
#include <rwkv/io/rwkv_cpp_file.hpp>

namespace rwkv::namings {
namespace detail {
using namespace rwkv::detail;

/// The float nearest to `guess` that `stored` makes x of, so that converting back gives the same file; `guess` itself
/// where none of its neighbours does.
inline double origin(double x, double guess, double (*stored)(double)) {
  const float near = float(guess), target = float(x);
  float up = near, down = near;
  for (int i = 0; i < 4; ++i) {
    if (float(stored(double(up))) == target) return double(up);
    if (float(stored(double(down))) == target) return double(down);
    up = std::nextafter(up, INFINITY), down = std::nextafter(down, -INFINITY);
  }
  return guess;
}

// The converter computes in float, step by step.
inline double negative_exp(double p) {
  return -double(float(std::exp(p)));
}
inline double fading(double p) {
  return std::exp(-double(float(std::exp(p))));
}
inline double exponential(double p) {
  return std::exp(p);
}
// Of 0, 1 and infinity as floats, which far more than one number becomes, the origin is a finite one.
inline double of_negative_exp(double x) {
  return origin(x, std::clamp(std::log(-x), -105., 89.), negative_exp);
}
inline double of_fading(double x) {
  return origin(x, std::clamp(std::log(-std::log(x)), -20., 5.), fading);
}
inline double of_exponential(double x) {
  return origin(x, std::clamp(std::log(x), -105., 89.), exponential);
}
}  // namespace detail

/// rwkv.cpp keeps the official names. Its converter drops extents of one, and stores the decay as the kernel uses it.
inline constexpr LayoutRule rwkv_cpp_v4_rules[] = {
    {"blocks.*.att.time_decay",
     "blocks.*.att.time_decay",
     {.number = detail::of_negative_exp, .back = detail::negative_exp}},
    {"blocks.*.*.time_mix_*", "blocks.*.*.time_mix_*", {.extents = detail::row, .extents_back = detail::flat}}};

/// It drops or adds extents of one, and stores the decay, and 5.0's time_first, as the kernel uses them. (rwkv.cpp also
/// takes 1e-5 for the eps of ln_x, where everybody else has 64e-5: its logits differ.)
inline constexpr LayoutRule rwkv_cpp_v5_rules[] = {
    {"blocks.*.att.time_decay",
     "blocks.*.att.time_decay",
     {.number = detail::of_fading,
      .back = detail::fading,
      .extents = detail::squeezed,
      .extents_back = detail::with_ones}},
    {"blocks.*.att.time_first",
     "blocks.*.att.time_first",
     {.number = detail::of_exponential,
      .back = detail::exponential,
      .extents = detail::squeezed,
      .extents_back = detail::with_ones}},
    {"blocks.*.att.time_faaaa",
     "blocks.*.att.time_faaaa",
     {.extents = detail::squeezed, .extents_back = detail::with_ones}},
    {"blocks.*.*.time_mix_*", "blocks.*.*.time_mix_*", {.extents = detail::row, .extents_back = detail::flat}}};

/// It drops or adds extents of one, and transposes the factors of low-rank products.
inline constexpr LayoutRule rwkv_cpp_v6_rules[] = {
    {"blocks.*.att.time_maa_w1", "blocks.*.att.time_maa_w1", {.transposed = true}},
    {"blocks.*.att.time_maa_w2", "blocks.*.att.time_maa_w2", {.transposed = true}},
    {"blocks.*.att.time_decay_w1", "blocks.*.att.time_decay_w1", {.transposed = true}},
    {"blocks.*.att.time_decay_w2", "blocks.*.att.time_decay_w2", {.transposed = true}},
    {"blocks.*.att.time_decay",
     "blocks.*.att.time_decay",
     {.extents = detail::row, .extents_back = detail::by_head_with_one}},
    {"blocks.*.att.time_faaaa",
     "blocks.*.att.time_faaaa",
     {.extents = detail::squeezed, .extents_back = detail::with_ones}},
    {"blocks.*.*.time_maa_*", "blocks.*.*.time_maa_*", {.extents = detail::row, .extents_back = detail::flat}}};

/// It transposes the factors of low-rank products, and stacks the mixes.
inline constexpr LayoutRule rwkv_cpp_v7_rules[] = {
    {"blocks.0.att.v0", LayoutRule::left_out},
    {"blocks.0.att.v1", LayoutRule::left_out},
    {"blocks.0.att.v2", LayoutRule::left_out},
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

namespace detail {
inline bool is_rwkv_cpp(const BareNames& names, const char* mark) {
  return names.file().format() == RwkvCppFile::name && names.has(mark);
}
}  // namespace detail
inline bool is_rwkv_cpp_v4(const BareNames& names) {
  return detail::is_rwkv_cpp(names, "blocks.0.att.time_mix_r") && !names.has("blocks.0.att.ln_x.weight");
}
inline bool is_rwkv_cpp_v5(const BareNames& names) {
  return detail::is_rwkv_cpp(names, "blocks.0.att.time_mix_r") && names.has("blocks.0.att.ln_x.weight");
}
inline bool is_rwkv_cpp_v6(const BareNames& names) {
  return detail::is_rwkv_cpp(names, "blocks.0.att.time_maa_w1");
}
inline bool is_rwkv_cpp_v7(const BareNames& names) {
  return detail::is_rwkv_cpp(names, "blocks.0.att.r_k");
}
inline constexpr Naming rwkv_cpp_v4{"rwkv.cpp's layout of version 4", is_rwkv_cpp_v4, rwkv_cpp_v4_rules},
    rwkv_cpp_v5{"rwkv.cpp's layout of version 5", is_rwkv_cpp_v5, rwkv_cpp_v5_rules},
    rwkv_cpp_v6{"rwkv.cpp's layout of version 6", is_rwkv_cpp_v6, rwkv_cpp_v6_rules},
    rwkv_cpp_v7{"rwkv.cpp's layout of version 7", is_rwkv_cpp_v7, rwkv_cpp_v7_rules};

}  // namespace rwkv::namings
