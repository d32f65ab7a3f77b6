#pragma once
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <rwkv/core/quoted.hpp>
#include <rwkv/io/dtype.hpp>

namespace rwkv {

/// Free text that travels with a file: key to value, both UTF-8.
using Metadata = std::map<std::string, std::string>;

/// A tensor in a file.
struct TensorInfo {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<dim_t> shape;          ///< rows first
  std::uint64_t begin = 0, end = 0;  ///< its bytes in the file's data, as the format counts them
  std::string other = {};            ///< what the file calls its dtype, if that is Dtype::other
  std::string called = {};           ///< what the file calls it, if that is another name
};

/// "(4, 64)"
[[gnu::cold]] inline std::string shape_text(std::span<const dim_t> shape) {
  std::string text = "(";
  for (const dim_t d : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(d);
  return text + ")";
}
/// "F32 (4, 64)"
[[gnu::cold]] inline std::string describe(Dtype dtype, std::span<const dim_t> shape) {
  return std::string(name_of(dtype)) + " " + shape_text(shape);
}
/// "F32", or what the file calls it.
[[gnu::cold]] inline std::string dtype_text(const TensorInfo& t) {
  return t.dtype == Dtype::other ? shown(t.other) : std::string(name_of(t.dtype));
}

/// The bytes of a tensor; nothing if 64 bits cannot count them, if they are not whole, or if an extent is negative.
inline std::optional<std::uint64_t> byte_size(Dtype dtype, std::span<const dim_t> shape) {
  const bool whole = bits_of(dtype) % 8 == 0;
  std::uint64_t n = whole ? bytes_of(dtype) : bits_of(dtype);
  for (const dim_t d : shape)
    if (d < 0 || __builtin_mul_overflow(n, std::uint64_t(d), &n)) return {};
  if (whole) return n;
  return n % 8 == 0 ? std::optional(n / 8) : std::nullopt;
}

namespace detail {
inline int compare_names(const void* left, const void* right) {
  return (*static_cast<TensorInfo* const*>(left))->name.compare((*static_cast<TensorInfo* const*>(right))->name);
}
/// In the order that `compare` says; by qsort, which costs nothing to compile.
inline std::vector<TensorInfo*> sorted(std::vector<TensorInfo>& tensors, int (*compare)(const void*, const void*)) {
  std::vector<TensorInfo*> all;
  all.reserve(tensors.size());
  for (TensorInfo& t : tensors) all.push_back(&t);
  if (!all.empty()) std::qsort(all.data(), all.size(), sizeof all[0], compare);
  return all;
}
}  // namespace detail

}  // namespace rwkv
