#pragma once
#include <cstdint>
#include <iterator>
#include <type_traits>

#include <rwkv/core/bf16.hpp>
#include <rwkv/core/weight_block.hpp>

namespace rwkv {

/// How the numbers of a tensor lie in memory: as scalars, or in blocks of a row's neighbours.
enum class Storage : std::uint8_t { f64, f32, bf16, q4_0, q4_1, q5_0, q5_1, q8_0 };

namespace detail {
struct StorageRow {
  const char* name;
  dim_t numbers, bytes;  // of a block, or a scalar
};
inline constexpr StorageRow storages[] = {  // in the order of the enumerators
    {"F64", 1, 8},
    {"F32", 1, 4},
    {"BF16", 1, 2},
    {"Q4_0", 32, sizeof(Q4_0)},
    {"Q4_1", 32, sizeof(Q4_1)},
    {"Q5_0", 32, sizeof(Q5_0)},
    {"Q5_1", 32, sizeof(Q5_1)},
    {"Q8_0", 32, sizeof(Q8_0)}};
}  // namespace detail

/// "F32"
constexpr const char* name_of(Storage s) {
  return detail::storages[std::size_t(s)].name;
}
/// How many neighbours of a row are stored together: 1 for scalars.
constexpr dim_t block_of(Storage s) {
  return detail::storages[std::size_t(s)].numbers;
}
/// Bytes that n numbers take, which are whole blocks.
constexpr dim_t bytes_of(Storage s, dim_t n) {
  return n / block_of(s) * detail::storages[std::size_t(s)].bytes;
}

/// f.operator()<T>() with the type of the numbers.
template <class F>
decltype(auto) with_storage(Storage s, F&& f) {
  switch (s) {
    case Storage::f64:
      return f.template operator()<double>();
    case Storage::bf16:
      return f.template operator()<rwkv::bf16>();
    case Storage::q4_0:
      return f.template operator()<Q4_0>();
    case Storage::q4_1:
      return f.template operator()<Q4_1>();
    case Storage::q5_0:
      return f.template operator()<Q5_0>();
    case Storage::q5_1:
      return f.template operator()<Q5_1>();
    case Storage::q8_0:
      return f.template operator()<Q8_0>();
    default:
      return f.template operator()<float>();
  }
}

namespace detail {
template <class T>
constexpr Storage storage_of_type() {
  if constexpr (std::is_same_v<T, double>)
    return Storage::f64;
  else if constexpr (std::is_same_v<T, float>)
    return Storage::f32;
  else if constexpr (std::is_same_v<T, Q4_0>)
    return Storage::q4_0;
  else if constexpr (std::is_same_v<T, Q4_1>)
    return Storage::q4_1;
  else if constexpr (std::is_same_v<T, Q5_0>)
    return Storage::q5_0;
  else if constexpr (std::is_same_v<T, Q5_1>)
    return Storage::q5_1;
  else if constexpr (std::is_same_v<T, Q8_0>)
    return Storage::q8_0;
  else
    return Storage::bf16;
}
}  // namespace detail

/// How numbers of type T are stored.
template <class T>
inline constexpr Storage storage_of = detail::storage_of_type<T>();

}  // namespace rwkv
