#pragma once
#include <string>

#include <rwkv/io/official_parameters.hpp>

namespace rwkv::detail {

/// The parameters that a model of that version has, in the order of checkpoints.
[[gnu::cold]] inline std::span<const OfficialParameter> parameters_of(std::string_view version) {
  if (version == "4") return official::v4;
  if (version.starts_with("5")) return official::v5;
  if (version == "6") return official::v6;
  if (version == "7") return official::v7;
  if (version == "GPT-2") return official::gpt2;
  return {};
}

/// Calls `each` with the name in one block, or outside of them, and the extents of every parameter of a model.
template <class Each>
void for_each_parameter(std::string_view version, dim_t layers, Each&& each) {
  const std::span<const OfficialParameter> all = parameters_of(version);
  const auto belongs = [&](const OfficialParameter& p) {
    return p.only.empty() || p.only.find(version.back()) != std::string_view::npos;
  };
  const auto in_block = [](std::string_view name) {
    return name.starts_with("blocks.") || name.find(".h.") != name.npos;
  };
  for (std::size_t i = 0; i < all.size();) {
    if (!in_block(all[i].name)) {
      each(std::string(all[i].name), all[i].extents);
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < all.size() && in_block(all[end].name)) ++end;
    for (dim_t block = 0; block < layers; ++block)
      for (std::size_t k = i; k < end; ++k) {
        std::string name = all[k].name;
        const std::size_t star = name.find_first_of("*+0");
        if (!belongs(all[k]) || (name[star] == '+' && block == 0) || (name[star] == '0' && block > 0)) continue;
        each(name.replace(star, 1, std::to_string(block)), all[k].extents);
      }
    i = end;
  }
}

}  // namespace rwkv::detail
