#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include <rwkv/core/storage.hpp>

namespace rwkv {

static_assert(std::endian::native == std::endian::little, "rwkv: files are little-endian and are read as they lie");

/// How the numbers of a tensor are stored in a file: as scalars, or quantised in blocks of a row's neighbours, see
/// block_formats.hpp; `other` is a way that we do not know.
enum class Dtype {
  f64,
  f32,
  f16,
  bf16,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e5m2fnuz,
  f8_e4m3fnuz,
  f6_e2m3,
  f6_e3m2,
  f4,
  c64,
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q4_k,
  q5_k,
  q6_k,
  other
};

namespace detail {
struct DtypeRow {
  std::string_view name;
  std::uint64_t bits;       // of a block
  std::uint64_t block = 1;  // scalars in it
};
inline constexpr DtypeRow dtypes[] = {  // in the order of the enumerators
    {"F64", 64},
    {"F32", 32},
    {"F16", 16},
    {"BF16", 16},
    {"F8_E5M2", 8},
    {"F8_E4M3", 8},
    {"F8_E8M0", 8},
    {"F8_E5M2FNUZ", 8},
    {"F8_E4M3FNUZ", 8},
    {"F6_E2M3", 6},
    {"F6_E3M2", 6},
    {"F4", 4},
    {"C64", 64},
    {"I64", 64},
    {"I32", 32},
    {"I16", 16},
    {"I8", 8},
    {"U64", 64},
    {"U32", 32},
    {"U16", 16},
    {"U8", 8},
    {"BOOL", 8},
    {"Q4_0", 18 * 8, 32},
    {"Q4_1", 20 * 8, 32},
    {"Q5_0", 22 * 8, 32},
    {"Q5_1", 24 * 8, 32},
    {"Q8_0", 34 * 8, 32},
    {"Q4_K", 144 * 8, 256},
    {"Q5_K", 176 * 8, 256},
    {"Q6_K", 210 * 8, 256},
    {"", 0}};

template <class T>
constexpr Dtype dtype_of_scalar() {
  constexpr bool sign = std::is_signed_v<T>;
  if constexpr (std::is_same_v<T, bool>)
    return Dtype::boolean;
  else if constexpr (std::is_same_v<T, double>)
    return Dtype::f64;
  else if constexpr (std::is_same_v<T, float>)
    return Dtype::f32;
  else if constexpr (std::is_same_v<T, rwkv::bf16>)
    return Dtype::bf16;
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 8)
    return sign ? Dtype::i64 : Dtype::u64;
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 4)
    return sign ? Dtype::i32 : Dtype::u32;
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 2)
    return sign ? Dtype::i16 : Dtype::u16;
  else if constexpr (std::is_integral_v<T>)
    return sign ? Dtype::i8 : Dtype::u8;
  else
    static_assert(!sizeof(T), "dtype_of: not a scalar that files know");
}
}  // namespace detail

/// The name that safetensors gives it, or that ggml gives its blocks.
constexpr std::string_view name_of(Dtype d) {
  return detail::dtypes[std::size_t(d)].name;
}
/// How many neighbours of a row are stored together, in one block: 1 for scalars.
constexpr std::uint64_t block_of(Dtype d) {
  return detail::dtypes[std::size_t(d)].block;
}
/// Whether numbers are quantised, several in a block.
constexpr bool in_blocks(Dtype d) {
  return block_of(d) > 1;
}
/// Bits of one scalar, or of one block; 0 where we do not know.
constexpr std::uint64_t bits_of(Dtype d) {
  return detail::dtypes[std::size_t(d)].bits;
}
/// Bytes of one scalar of whole bytes, or of one block.
constexpr std::uint64_t bytes_of(Dtype d) {
  return bits_of(d) / 8;
}
/// The dtype that safetensors calls so, if we know one.
constexpr std::optional<Dtype> dtype_named(std::string_view name) {
  for (std::size_t i = 0; i < std::size(detail::dtypes); ++i)
    if (detail::dtypes[i].name == name && !in_blocks(Dtype(i))) return Dtype(i);
  return {};
}
/// How a T is stored.
template <class T>
inline constexpr Dtype dtype_of = detail::dtype_of_scalar<T>();

/// How files say that numbers are stored so in memory.
constexpr Dtype file_dtype(Storage s) {
  constexpr Dtype dtypes[] = {Dtype::f64,  Dtype::f32,  Dtype::bf16, Dtype::q4_0,
                              Dtype::q4_1, Dtype::q5_0, Dtype::q5_1, Dtype::q8_0};
  return dtypes[std::size_t(s)];
}

/// Whether its numbers become a float or a double.
constexpr bool is_real(Dtype d) {
  return d == Dtype::f64 || d == Dtype::f32 || d == Dtype::f16 || d == Dtype::bf16 || in_blocks(d);
}
/// Whether numbers stored as `to` can take those stored as `from`: exactly, or, where `to` has 16 bits or fewer,
/// rounded from at most 32. A double does not become a float; what is quantised is a float once it is read.
constexpr bool holds(Dtype to, Dtype from) {
  const std::uint64_t bytes = in_blocks(from) ? sizeof(float) : bytes_of(from);
  return to == from || (is_real(to) && is_real(from) && bytes <= (to == Dtype::f64 ? 8u : 4u));
}

/// to[i] = scalar i of `from`, which holds to.size() of them, at any alignment. Either d is T's own dtype, or both are
/// real and not in blocks; a double too large for a float becomes infinite, and a bf16 is rounded to.
template <class T>
void convert(Dtype d, const std::byte* from, std::span<T> to) {
  const auto each = [&]<class Stored>(Stored stored, auto number) {
    for (T& x : to) {
      std::memcpy(&stored, from, sizeof stored);
      from += sizeof stored;
      x = T(number(stored));
    }
  };
  if (d == dtype_of<T>) {
    if (!to.empty()) std::memcpy(to.data(), from, to.size_bytes());
  } else if constexpr (std::is_floating_point_v<compute_of<T>>) {
    if (d == Dtype::f64)
      each(double{}, [](double x) { return x; });
    else if (d == Dtype::f32)
      each(float{}, [](float x) { return x; });
    else if (d == Dtype::f16)
      each(std::uint16_t{}, from_f16);
    else if (d == Dtype::bf16)
      each(bf16{}, [](bf16 x) { return float(x); });
  }
}

}  // namespace rwkv
