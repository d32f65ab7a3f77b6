#pragma once
#include <initializer_list>
#include <string_view>

#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// The name without what trainers put around a model.
inline std::string_view without_wrappers(std::string_view name) {
  for (const std::string_view wrapper : {"_forward_module.", "_orig_mod.", "module.", "base_model.model."})
    if (name.size() > wrapper.size() && name.starts_with(wrapper)) return without_wrappers(name.substr(wrapper.size()));
  return name;
}

/// What stands before "emb.weight" in that name of the embedding, if it is one under a model's own name. "rwkv7." is
/// none of them: it is a layout of its own, whose norms have another epsilon.
inline std::string_view model_prefix(std::string_view name) {
  constexpr std::string_view embedding = "emb.weight";
  std::string_view rest = name;
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view model : {"rwkv.", "model."})
      if (rest.starts_with(model)) rest.remove_prefix(model.size()), found = true;
  }
  return rest == embedding ? name.substr(0, name.size() - rest.size()) : std::string_view{};
}

}  // namespace rwkv::detail
