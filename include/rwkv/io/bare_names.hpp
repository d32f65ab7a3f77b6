#pragma once
#include <map>

#include <rwkv/io/pth_names.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

/// A name without what trainers and modules put before it, as often as that stands there.
inline std::string_view bare_name(std::string_view name) {
  for (bool again = true; again;) {
    again = false;
    name = detail::without_wrappers(name);
    for (const std::string_view model : {"model.", "transformer.", "rwkv7.", "rwkv."})
      if (name.size() > model.size() && name.starts_with(model)) name.remove_prefix(model.size()), again = true;
  }
  return name;
}

/// The tensors of a file by their bare names.
class BareNames {
 public:
  explicit BareNames(const TensorSource& file) : file_(file) {
    for (const TensorInfo& t : file.tensors()) bare_.emplace(bare_name(t.name), &t);
  }
  const TensorSource& file() const { return file_; }
  /// Null if there is none of that name.
  const TensorInfo* find(std::string_view bare) const {
    const auto found = bare_.find(bare);
    return found == bare_.end() ? nullptr : found->second;
  }
  bool has(std::string_view bare) const { return find(bare) != nullptr; }
  /// The extents of a tensor; none where there is none.
  std::vector<dim_t> extents(std::string_view bare) const {
    const TensorInfo* t = find(bare);
    return t == nullptr ? std::vector<dim_t>{} : t->shape;
  }

 private:
  const TensorSource& file_;
  std::map<std::string_view, const TensorInfo*> bare_;
};

}  // namespace rwkv
