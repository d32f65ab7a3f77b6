#pragma once
#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// How a tensor of a file becomes ours.
struct Transform {
  double (*number)(double) = nullptr;  ///< each number goes through it
  int part = 0, parts = 1;             ///< ours is this one of several that are stacked along their first extent
  bool transposed = false;             ///< the last two extents change places
  bool reshaped = false;               ///< not the extents must be the same, only the number of elements
};

/// A line of an import table, which says where a file's naming is not ours. In names * stands for a word or the rest of
/// one, up to the next dot: rwkv.blocks.*.attention.time_mix_* -> blocks.*.att.time_mix_*. A name that no line mentions
/// is the same in both; of several lines for one of ours, the first counts whose tensor the file has.
struct ImportRule {
  const char* theirs;
  const char* ours;  ///< or `ignored`
  Transform transform = {};

  /// The place of a tensor that may be in the file, and that nothing reads.
  static constexpr const char* ignored = nullptr;
};
/// The rules of one naming.
using ImportTable = std::span<const ImportRule>;

/// `name` rewritten from the pattern `from` to the pattern `to`; nothing if it does not match `from`.
[[gnu::cold]] inline std::optional<std::string> renamed(std::string_view name, std::string_view from,
                                                        std::string_view to) {
  std::string result;
  std::size_t at = 0, done = 0;  // in name, in to
  for (const char c : from) {
    if (c != '*') {
      if (at == name.size() || name[at++] != c) return {};
      continue;
    }
    const std::size_t end = std::min(name.find('.', at), name.size()), star = std::min(to.find('*', done), to.size());
    if (end == at) return {};
    result += to.substr(done, star - done);
    if (star < to.size()) result += name.substr(at, end - at);
    done = std::min(star + 1, to.size());
    at = end;
  }
  if (at < name.size()) return {};
  return result += to.substr(done);
}

/// The extents that a tensor of theirs must have, if ours is to have those of `shape`.
[[gnu::cold]] inline std::vector<dim_t> extents_of_theirs(std::vector<dim_t> shape, const Transform& how) {
  if (how.transposed && shape.size() > 1) std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  if (how.parts > 1 && !shape.empty()) shape[0] *= how.parts;
  return shape;
}

}  // namespace rwkv
