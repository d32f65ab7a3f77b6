#pragma once
#include <cstdint>
#include <type_traits>

#include <rwkv/core/bf16.hpp>

namespace rwkv {

/// How the numbers of a tensor lie in memory.
enum class Storage : std::uint8_t { f64, f32, bf16 };

/// "F32"
constexpr const char* name_of(Storage s) {
  return s == Storage::f64 ? "F64" : s == Storage::f32 ? "F32" : "BF16";
}
/// Bytes that n numbers take.
constexpr dim_t bytes_of(Storage s, dim_t n) {
  return n * (s == Storage::f64 ? 8 : s == Storage::f32 ? 4 : 2);
}

/// How numbers of type T are stored.
template <class T>
inline constexpr Storage storage_of = std::is_same_v<T, double>  ? Storage::f64
                                      : std::is_same_v<T, float> ? Storage::f32
                                                                 : Storage::bf16;

/// f.operator()<T>() with the type of the numbers.
template <class F>
decltype(auto) with_storage(Storage s, F&& f) {
  if (s == Storage::f64) return f.template operator()<double>();
  if (s == Storage::f32) return f.template operator()<float>();
  return f.template operator()<rwkv::bf16>();
}

}  // namespace rwkv
