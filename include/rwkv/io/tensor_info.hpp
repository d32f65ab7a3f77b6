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

/// Its name, and what the file calls it, if that is another.
[[gnu::cold]] inline std::string called_in_file(const TensorInfo& t) {
  return shown(t.name) + (t.called.empty() ? "" : " (" + shown(t.called) + " in the file)");
}
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

/// The bytes of a tensor; nothing if 64 bits cannot count them, if they are not whole, if an extent is negative, or if
/// its rows are no whole blocks.
inline std::optional<std::uint64_t> byte_size(Dtype dtype, std::span<const dim_t> shape) {
  const std::uint64_t block = block_of(dtype);
  const bool whole = bits_of(dtype) % 8 == 0,
             ragged = block > 1 && (shape.empty() || std::uint64_t(shape.back()) % block);
  std::uint64_t n = whole ? bytes_of(dtype) : bits_of(dtype);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::uint64_t extent = std::uint64_t(shape[i]) / (i + 1 < shape.size() ? 1 : block);
    if (shape[i] < 0 || __builtin_mul_overflow(n, extent, &n)) return {};
  }
  if (ragged) return {};
  if (whole) return n;
  return n % 8 == 0 ? std::optional(n / 8) : std::nullopt;
}

namespace detail {
inline int compare_names(const void* left, const void* right) {
  return (*static_cast<TensorInfo* const*>(left))->name.compare((*static_cast<TensorInfo* const*>(right))->name);
}
inline int compare_places(const void* left, const void* right) {
  const TensorInfo &a = **static_cast<TensorInfo*const*>(left), &b = **static_cast<TensorInfo*const*>(right);
  if (a.begin != b.begin) return a.begin < b.begin ? -1 : 1;
  if (a.end != b.end) return a.end < b.end ? -1 : 1;
  return a.name.compare(b.name);
}
/// In the order that `compare` says; by qsort, which costs nothing to compile.
inline std::vector<TensorInfo*> sorted(std::vector<TensorInfo>& tensors, int (*compare)(const void*, const void*)) {
  std::vector<TensorInfo*> all;
  all.reserve(tensors.size());
  for (TensorInfo& t : tensors) all.push_back(&t);
  if (!all.empty()) std::qsort(all.data(), all.size(), sizeof all[0], compare);
  return all;
}
/// Puts them into the order of their data.
inline void sort_by_place(std::vector<TensorInfo>& tensors) {
  std::vector<TensorInfo> all;
  all.reserve(tensors.size());
  for (TensorInfo* t : sorted(tensors, compare_places)) all.push_back(std::move(*t));
  tensors.swap(all);
}
}  // namespace detail

}  // namespace rwkv
