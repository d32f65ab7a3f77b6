#pragma once
#include <map>

#include <rwkv/io/official_parameters.hpp>
#include <rwkv/io/official_source.hpp>
#include <rwkv/io/unreadable_kinds.hpp>

namespace rwkv {

/// What a file holds, as its tensors show: metadata are not asked.
struct Detected {
  std::string version;  ///< "4", "5.0", "5.1", "5.2", "6", "7" or "GPT-2"; empty where it is none of them
  std::string instead;  ///< what the file holds that we have no model for, and which tensor shows it
  std::map<char, dim_t> sizes;  ///< by the letters of official_parameters.hpp, and L: layers
  std::vector<std::string> faults;   ///< what keeps the model from being read: tensors that are missing, or wrong
  std::vector<std::string> unusual;  ///< what does not
  std::string layout;                ///< how the file names and stores its tensors
  std::map<std::string, int> dtypes;  ///< how many tensors are of each
  bool readable() const { return !version.empty() && instead.empty() && faults.empty(); }
  /// 0 where it has no such size.
  dim_t size(char letter) const {
    const auto found = sizes.find(letter);
    return found == sizes.end() ? 0 : found->second;
  }
};

namespace detail {

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
  const auto in_block = [](std::string_view name) { return name.starts_with("blocks.") || name.find(".h.") != name.npos; };
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

/// Whether a tensor's extents are those, "C 5m"; letters that are new get their size from it.
[[gnu::cold]] inline bool match_extents(std::string_view expected, const Extents& found, std::map<char, dim_t>& sizes,
                                        std::string& as_numbers) {
  std::size_t at = 0;
  bool same = true;
  as_numbers = "(";
  for (std::size_t i = 0; i < expected.size(); ++at) {
    dim_t times = 0;
    for (; i < expected.size() && expected[i] >= '0' && expected[i] <= '9'; ++i) times = 10 * times + (expected[i] - '0');
    dim_t extent = times;
    if (i < expected.size() && expected[i] != ' ') {
      if (times == 0) times = 1;
      const char letter = expected[i++];
      if (!sizes.contains(letter) && at < found.size() && found[at] % times == 0 && found[at] > 0)
        sizes[letter] = found[at] / times;
      const auto known = sizes.find(letter);
      extent = known == sizes.end() ? 0 : times * known->second;
    }
    same = same && at < found.size() && found[at] == extent;
    as_numbers += (at > 0 ? ", " : "") + std::to_string(extent);
    if (i < expected.size()) ++i;  // the space
  }
  as_numbers += ")";
  return same && at == found.size();
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

  dim_t layers = 0;
  const std::string before = found.version == "GPT-2" ? "transformer.h." : "blocks.";
  for (const TensorInfo& t : source.tensors())
    if (t.name.starts_with(before) && t.name.size() > before.size() && t.name[before.size()] <= '9')
      layers = std::max<dim_t>(layers, block_number(std::string_view(t.name).substr(before.size() - 1)) + 1);
  constexpr std::size_t most = 20;
  std::size_t more = 0;
  const auto fault = [&](std::string what) {
    if (found.faults.size() < most)
      found.faults.push_back(std::move(what));
    else
      ++more;
  };
  if (layers > dim_t(source.tensors().size())) {
    found.faults.push_back("there are fewer tensors than blocks");
    return found;
  }
  std::map<std::string_view, bool> expected;
  detail::for_each_parameter(found.version, layers, [&](std::string name, std::string_view extents) {
    const TensorInfo* t = source.find(name);
    std::string numbers;
    const bool fits = t != nullptr && detail::match_extents(extents, t->shape, found.sizes, numbers);
    if (t == nullptr)
      fault(name + " is missing");
    else if (!fits)
      fault(name + ": expected " + numbers + ", found " + shape_text(t->shape));
    if (t != nullptr && !is_real(t->dtype)) fault(name + ": expected numbers, found " + dtype_text(*t));
    if (t != nullptr) expected[t->name] = true;
  });
  for (const TensorInfo& t : source.tensors())
    if (!expected.contains(t.name)) fault(shown(t.name) + " belongs to no model of this version");
  found.sizes['L'] = layers;
  if (found.size('A') > 0 && found.size('A') != found.size('C'))
    fault("attention is " + std::to_string(found.size('A')) + " wide, the model " + std::to_string(found.size('C')) +
          ": no net of ours is so");
  if (found.size('H') > 0 && found.size('N') == 0 && found.size('C') % found.size('H') == 0)
    found.sizes['N'] = found.size('C') / found.size('H');
  if (found.size('H') > 0 && found.size('H') * found.size('N') != found.size('C'))
    fault(std::to_string(found.size('H')) + " heads do not share the width " + std::to_string(found.size('C')));
  if (more > 0) found.faults.push_back("and " + std::to_string(more) + " more");
  for (const std::string& name : source.left_out()) found.unusual.push_back(shown(name) + " is there, and nothing reads it");
  return found;
}

}  // namespace rwkv
