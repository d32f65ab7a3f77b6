#pragma once
#include <map>

#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

/// A name without what wrappers of a module put before it, as often as one stands there.
inline std::string_view bare_name(std::string_view name) {
  constexpr std::string_view wrappers[] = {"module.", "_forward_module.", "_orig_mod.", "base_model.model.",
                                           "model.",  "transformer.",     "rwkv7.",     "rwkv."};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view wrapper : wrappers)
      if (name.size() > wrapper.size() && name.starts_with(wrapper)) name.remove_prefix(wrapper.size()), again = true;
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
