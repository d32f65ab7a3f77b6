#pragma once
#include <set>

#include <rwkv/io/each_parameter.hpp>
#include <rwkv/io/extents_pattern.hpp>
#include <rwkv/io/official_source.hpp>
#include <rwkv/io/unreadable_kinds.hpp>

namespace rwkv {

/// What a file holds, as its tensors show: metadata are not asked.
struct Detected {
  std::string version;                ///< "4", "5.0", "5.1", "5.2", "6", "7" or "GPT-2"; empty where it is none of them
  std::string instead;                ///< what the file holds that we have no model for, and which tensor shows it
  std::map<char, dim_t> sizes;        ///< by the letters of official_parameters.hpp, and L: layers
  std::vector<std::string> faults;    ///< what keeps the model from being read: tensors that are missing, or wrong
  std::vector<std::string> unusual;   ///< what does not
  std::string layout;                 ///< how the file names and stores its tensors
  std::map<std::string, int> dtypes;  ///< how many tensors are of each
  bool readable() const { return !version.empty() && instead.empty() && faults.empty(); }
  /// 0 where it has no such size.
  dim_t size(char letter) const {
    const auto found = sizes.find(letter);
    return found == sizes.end() ? 0 : found->second;
  }
};

namespace detail {

[[gnu::cold]] inline std::string version_in(const OfficialSource& source) {
  const auto has = [&](const char* name) { return source.find(name) != nullptr; };
  if (has("blocks.0.att.r_k")) return "7";
  if (has("blocks.0.att.time_maa_x")) return "6";
  if (has("blocks.0.att.ln_x.weight")) {
    const TensorInfo* decay = source.find("blocks.0.att.time_decay");
    if (decay != nullptr && decay->shape.size() == 2) return "5.2";
    return has("blocks.0.att.gate.weight") ? "5.1" : "5.0";
  }
  if (has("blocks.0.att.time_mix_k") && has("blocks.0.att.time_first")) return "4";
  return has("transformer.wte.weight") ? "GPT-2" : "";
}

/// How many blocks names speak of.
[[gnu::cold]] inline dim_t layers_in(const OfficialSource& source, const std::string& before) {
  dim_t layers = 0;
  for (const TensorInfo& t : source.tensors())
    if (t.name.starts_with(before) && t.name.size() > before.size() && t.name[before.size()] <= '9')
      layers = std::max<dim_t>(layers, block_number(std::string_view(t.name).substr(before.size() - 1)) + 1);
  return layers;
}

/// Compares all tensors with those that a model of that version has.
[[gnu::cold]] inline void compare_parameters(const OfficialSource& source, Detected& found) {
  std::set<std::string_view> expected;
  constexpr std::size_t most = 1000;
  const auto fault = [&](std::string what) {
    if (found.faults.size() < most) found.faults.push_back(std::move(what));
  };
  for_each_parameter(found.version, found.size('L'), [&](const std::string& name, std::string_view extents) {
    const TensorInfo* t = source.find(name);
    if (t == nullptr) return fault(name + " is missing");
    expected.insert(t->name);
    std::string numbers;
    if (!match_extents(extents, t->shape, found.sizes, numbers))
      fault(name + ": expected " + numbers + ", found " + shape_text(t->shape));
    else if (!is_real(t->dtype))
      fault(name + ": expected numbers, found " + dtype_text(*t));
  });
  for (const TensorInfo& t : source.tensors())
    if (!expected.contains(t.name)) fault(shown(t.name) + " belongs to no model of this version");
  const dim_t width = found.size('C'), heads = found.size('H');
  if (found.size('A') > 0 && found.size('A') != width)
    fault("attention is " + std::to_string(found.size('A')) + " wide, the model " + std::to_string(width) +
          ": no net of ours is so");
  if (heads > 0 && found.size('N') == 0 && width % heads == 0) found.sizes['N'] = width / heads;
  if (heads > 0 && (width % heads != 0 || width / heads != found.size('N')))
    fault(std::to_string(heads) + " heads do not share the width " + std::to_string(width));
}

}  // namespace detail

/// What a file holds. See `words` for it as a text.
[[gnu::cold]] inline Detected detect(const TensorSource& file) {
  const OfficialSource source(file);
  Detected found;
  found.layout = source.naming() == nullptr ? "names of its own" : source.naming()->name;
  for (const TensorInfo& t : file.tensors()) ++found.dtypes[dtype_text(t)];
  found.instead = detail::unreadable_kind(file);
  found.version = detail::version_in(source);
  if (found.version.empty()) return found;
  if (source.naming() != nullptr && source.naming()->remark != nullptr)
    found.unusual.push_back(source.naming()->remark);
  const dim_t layers = detail::layers_in(source, found.version == "GPT-2" ? "transformer.h." : "blocks.");
  for (const std::string& name : source.left_out())
    found.unusual.push_back(shown(name) + " is there, and nothing reads it");
  if (layers > dim_t(source.tensors().size())) {
    found.faults.push_back("there are fewer tensors than blocks");
    return found;
  }
  found.sizes['L'] = layers;
  detail::compare_parameters(source, found);
  return found;
}

}  // namespace rwkv
