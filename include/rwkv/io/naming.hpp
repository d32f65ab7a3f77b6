#pragma once
#include <rwkv/io/bare_names.hpp>

namespace rwkv {

/// What the change of one tensor may depend on.
struct LayoutFacts {
  dim_t heads = 0, head_size = 0;
  dim_t halved_every = 0;  ///< so many layers, after which a GGUF's graph halves the residual stream; 0: never
};
using Extents = std::vector<dim_t>;

/// How a tensor of another layout and an official one become each other.
struct LayoutChange {
  double (*number)(double) = nullptr;                         ///< ours, of each of theirs
  double (*back)(double) = nullptr;                           ///< theirs, of each of ours
  double (*factor)(const LayoutFacts&, int block) = nullptr;  ///< ours are theirs times this
  int part = 0, parts = 1;  ///< ours is this one of several, stacked along the first extent
  bool transposed = false;  ///< the last two extents change places
  Extents (*extents)(const Extents& theirs, const LayoutFacts&) = nullptr;  ///< ours, where only they differ
  Extents (*extents_back)(const Extents& ours, const LayoutFacts&) = nullptr;
  const char* copy_of = nullptr;  ///< of a tensor that is left out: it must be the same as theirs of that name
};

/// A line of a naming: theirs and ours are patterns, see `renamed`. A name that no line mentions is the same in both.
struct LayoutRule {
  const char* theirs;
  const char* ours;  ///< or `left_out`
  LayoutChange change = {};

  /// The place of a tensor that may be in the file, and that nothing reads.
  static constexpr const char* left_out = nullptr;
};

/// A way to name and store the parameters of a model: how a file of it is known, and what to do with it. Names are
/// bare.
struct Naming {
  const char* name;
  bool (*fits)(const BareNames& names);
  std::span<const LayoutRule> rules = {};
  const char* remark = nullptr;        ///< what its files may hide
  bool copies_in_first_block = false;  ///< version 7: files have v0, v1 and v2 there, as copies of a0, a1 and a2
};

namespace detail {
inline dim_t elements_of(const Extents& extents) {
  std::uint64_t n = 1;
  for (const dim_t d : extents) n *= std::uint64_t(d);
  return dim_t(n);
}
/// (1, 1, C)
inline Extents row(const Extents& e, const LayoutFacts&) {
  return {1, 1, elements_of(e)};
}
/// (C)
inline Extents flat(const Extents& e, const LayoutFacts&) {
  return {elements_of(e)};
}
/// Without the extents of one at its end.
inline Extents squeezed(const Extents& e, const LayoutFacts&) {
  Extents some = e;
  while (some.size() > 1 && some.back() == 1) some.pop_back();
  return some;
}
/// With extents of one at its end, until there are three.
inline Extents with_ones(const Extents& e, const LayoutFacts&) {
  Extents more = e;
  while (more.size() < 3) more.push_back(1);
  return more;
}
/// (H, N)
inline Extents by_head(const Extents& e, const LayoutFacts& facts) {
  return facts.head_size > 0 ? Extents{elements_of(e) / facts.head_size, facts.head_size} : e;
}
/// (H, N, 1)
inline Extents by_head_with_one(const Extents& e, const LayoutFacts& facts) {
  Extents heads = by_head(e, facts);
  heads.push_back(1);
  return heads;
}
/// (1, 1, 1, C)
inline Extents row_of_four(const Extents& e, const LayoutFacts&) {
  return {1, 1, 1, elements_of(e)};
}
}  // namespace detail

}  // namespace rwkv
