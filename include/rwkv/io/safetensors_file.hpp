#pragma once
#include <algorithm>

#include <rwkv/core/error.hpp>
#include <rwkv/io/mapped_file.hpp>
#include <rwkv/io/safetensors_header.hpp>

namespace rwkv {

/// A safetensors file, open for reading: a table of named tensors and the bytes behind it. Knows the format, no models.
/// (Eight bytes n, n bytes of JSON, the data; see huggingface/safetensors, "Format".)
class SafetensorsFile {
 public:
  /// Error unless the whole header is sound and fits the file.
  [[gnu::cold]] explicit SafetensorsFile(const std::string& path) : file_(path) {
    const auto bytes = file_.bytes();
    std::uint64_t length = 0;
    if (bytes.size() < sizeof length) refuse("has only " + std::to_string(bytes.size()) + " bytes");
    std::memcpy(&length, bytes.data(), sizeof length);
    if (bytes[0] == std::byte{'P'} && bytes[1] == std::byte{'K'})
      throw Error(path, ": is a zip archive, perhaps a .pth checkpoint, not safetensors; read it as what it is");
    if (length > bytes.size() - sizeof length)
      refuse("the header would have " + std::to_string(length) + " bytes, but the file ends after " +
             std::to_string(bytes.size() - sizeof length) + " of them");
    data_ = bytes.subspan(sizeof length + length);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof length, length);
    const std::string complaint = parse_safetensors_header(text, data_.size(), header_);
    if (!complaint.empty()) refuse(complaint);
    by_name_ = detail::sorted(header_.tensors, detail::compare_names);
  }
  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;

  const std::string& path() const { return file_.path(); }
  const Metadata& metadata() const { return header_.metadata; }
  /// In the order of their data.
  const std::vector<TensorInfo>& tensors() const { return header_.tensors; }
  /// Null if there is none of that name.
  const TensorInfo* find(std::string_view name) const {
    std::size_t first = 0, last = by_name_.size();
    while (first < last) {
      const std::size_t middle = first + (last - first) / 2;
      (by_name_[middle]->name < name ? first : last) = by_name_[middle]->name < name ? middle + 1 : middle;
    }
    return first < by_name_.size() && by_name_[first]->name == name ? by_name_[first] : nullptr;
  }
  /// As stored, at any alignment, as long as this object lives.
  std::span<const std::byte> bytes(const TensorInfo& t) const { return data_.subspan(t.begin, t.end - t.begin); }

  /// Copies the tensor to `out`, converted as `convert` does. Error if it is missing, of another shape, or not of T's
  /// kind.
  template <class T>
  void read(std::string_view name, std::span<const dim_t> shape, std::span<T> out) const {
    const TensorInfo* t = find(name);
    const std::string what = path() + ": " + std::string(name) + ": ";
    if (t == nullptr) throw Error(what, "expected ", shape_text(shape), ", found nothing of that name");
    if (!std::ranges::equal(t->shape, shape))
      throw Error(what, "shape: expected ", shape_text(shape), ", found ", shape_text(t->shape));
    if (t->dtype != dtype_of<T> && !(std::is_floating_point_v<T> && is_real(t->dtype)))
      throw Error(what, "dtype: expected ", name_of(dtype_of<T>), ", found ", name_of(t->dtype));
    if (out.size() * bytes_of(t->dtype) != t->end - t->begin)
      throw Error(what, "has ", shape_text(shape), " scalars, but there is room for ", out.size());
    convert(t->dtype, bytes(*t).data(), out);
  }

 private:
  [[noreturn, gnu::cold]] void refuse(const std::string& why) const {
    throw Error(path(), ": ", why, "; the file is damaged or not safetensors, save or download it again");
  }

  MappedFile file_;
  std::span<const std::byte> data_;
  SafetensorsHeader header_;
  std::vector<TensorInfo*> by_name_;  // into header_, whose vector keeps its place when moved
};

}  // namespace rwkv
