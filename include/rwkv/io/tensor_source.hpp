#pragma once
#include <algorithm>
#include <string_view>
#include <utility>

#include <rwkv/core/error.hpp>
#include <rwkv/io/block_formats.hpp>
#include <rwkv/io/tensor_info.hpp>

namespace rwkv {

/// A file of named tensors, whatever its format: what models are loaded from. A class and no concept, because the
/// format is known only when the program runs. Each format is a final class in a file of its own; when it is made, it
/// checks the whole file against its size and lists what is in it, and later reads fail only where it has changed
/// since.
class TensorSource {
 public:
  TensorSource(const TensorSource&) = delete;
  TensorSource& operator=(const TensorSource&) = delete;
  virtual ~TensorSource() = default;

  const std::string& path() const { return path_; }
  std::string_view format() const { return format_; }
  const Metadata& metadata() const { return metadata_; }
  /// In the order of their data.
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  /// Null if there is none of that name.
  const TensorInfo* find(std::string_view name) const {
    std::size_t first = 0, last = by_name_.size();
    while (first < last) {
      const std::size_t middle = first + (last - first) / 2;
      (by_name_[middle]->name < name ? first : last) = by_name_[middle]->name < name ? middle + 1 : middle;
    }
    return first < by_name_.size() && by_name_[first]->name == name ? by_name_[first] : nullptr;
  }

  /// The scalars or blocks of a tensor, row-major and of its dtype, where the file holds them so: at any alignment, as
  /// long as this object lives. Nothing where they lie otherwise, as with strides.
  virtual std::optional<std::span<const std::byte>> bytes(const TensorInfo& t) const = 0;

  /// out[i] = element first + i, row-major, of a tensor whose dtype is real. A format whose tensors have no `bytes`
  /// replaces both.
  virtual void read_numbers(const TensorInfo& t, std::uint64_t first, std::span<float> out) const {
    read_elements(t.dtype, bytes(t)->data(), first, out);
  }
  virtual void read_numbers(const TensorInfo& t, std::uint64_t first, std::span<double> out) const {
    read_elements(t.dtype, bytes(t)->data(), first, out);
  }

  /// Copies a whole tensor to `out`. Error if it is missing, of another shape, or not of T's kind: only a real becomes
  /// another real.
  template <class T>
  void read(std::string_view name, std::span<const dim_t> shape, std::span<T> out) const {
    const TensorInfo& t = expect(name, shape, dtype_of<T>, out.size());
    if constexpr (std::is_floating_point_v<T>)
      read_numbers(t, 0, out);
    else
      convert(t.dtype, bytes(t)->data(), out);
  }

 protected:
  TensorSource(std::string path, std::string_view format) : path_(std::move(path)), format_(format) {}
  /// What is in the file, no name twice: the last word of a format's constructor.
  void list(std::vector<TensorInfo> tensors, Metadata metadata) {
    tensors_ = std::move(tensors);
    metadata_ = std::move(metadata);
    by_name_ = detail::sorted(tensors_, detail::compare_names);
  }

 private:
  [[gnu::cold]] const TensorInfo& expect(std::string_view name, std::span<const dim_t> shape, Dtype dtype,
                                         std::size_t room) const {
    const TensorInfo* t = find(name);
    const std::string what = path_ + ": " + shown(name) + ": ";
    if (t == nullptr) throw Error(what, "expected ", shape_text(shape), ", found nothing of that name");
    if (!std::ranges::equal(t->shape, shape))
      throw Error(what, "shape: expected ", shape_text(shape), ", found ", shape_text(t->shape));
    const bool real = (dtype == Dtype::f32 || dtype == Dtype::f64) && is_real(t->dtype);
    if (!real && (t->dtype != dtype || !bytes(*t)))
      throw Error(what, "dtype: expected ", name_of(dtype), ", found ", dtype_text(*t));
    if (byte_size(dtype, shape) != room * bytes_of(dtype))
      throw Error(what, "has ", shape_text(shape), " scalars, but there is room for ", room);
    return *t;
  }

  std::string path_;
  std::string_view format_;
  Metadata metadata_;
  std::vector<TensorInfo> tensors_;
  std::vector<TensorInfo*> by_name_;  // into tensors_
};

}  // namespace rwkv
