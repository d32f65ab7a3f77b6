#pragma once
#include <type_traits>

#include <rwkv/core/bf16.hpp>

namespace rwkv::detail {

/// What NCCL is told that numbers are.
enum class NcclNumber { f32, f64, bf16 };

template <class T>
inline constexpr NcclNumber nccl_number = std::is_same_v<T, float>    ? NcclNumber::f32
                                          : std::is_same_v<T, double> ? NcclNumber::f64
                                                                      : NcclNumber::bf16;

}  // namespace rwkv::detail
