#pragma once
#include <rwkv/core/leaf.hpp>
#include <rwkv/io/official_source.hpp>

namespace rwkv {

/// How the matrices of a model are to lie in memory. Those that are stored otherwise than as the machine's scalars can
/// be multiplied by, but not trained.
struct Weights {
  enum class Kind { own, as_stored, stored } kind = Kind::own;  ///< the machine's scalars; as the file; as `storage`
  Storage storage = Storage::f32;
  bool embedding = false;  ///< a table of which only rows are looked up is put into blocks of its own choice, too

  static constexpr std::string_view names[] = {"own",  "as-stored", "fp32", "bf16", "q8_0",
                                               "q5_1", "q5_0",      "q4_1", "q4_0"};
  /// From one of those names. Error for other words.
  static Weights named(std::string_view name) {
    if (name == "own") return {};
    if (name == "as-stored") return {.kind = Kind::as_stored};
    if (name == "fp32") return {.kind = Kind::stored};
    for (const Storage s : {Storage::bf16, Storage::q8_0, Storage::q5_1, Storage::q5_0, Storage::q4_1, Storage::q4_0}) {
      std::string lower = name_of(s);
      for (char& c : lower) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
      if (lower == name) return {.kind = Kind::stored, .storage = s};
    }
    std::string all;
    for (const std::string_view each : names) (all += all.empty() ? "" : ", ") += each;
    throw Error("weights: expected one of ", all, ", found ", shown(name));
  }
};

/// Matrices that are not to be the machine's scalars, by their names.
using Storages = std::map<std::string, Storage>;

namespace detail {

/// As a file has it, or nearly; nothing for what is nearest to a float. Blocks of 256 become BF16, which tells more
/// steps apart than they do.
inline std::optional<Storage> storage_like(Dtype d) {
  for (std::size_t s = 0; s < std::size(storages); ++s)
    if (file_dtype(Storage(s)) == d) return Storage(s);
  return in_blocks(d) ? std::optional(Storage::bf16) : std::nullopt;
}
inline Storage storage_for(const Leaf& leaf, const Weights& weights, const TensorSource* file) {
  if (weights.kind == Weights::Kind::own) return leaf.storage;
  if (weights.kind == Weights::Kind::as_stored) {
    const TensorInfo* const t = file == nullptr ? nullptr : file->find(leaf.name);
    return t == nullptr ? leaf.storage : storage_like(t->dtype).value_or(leaf.storage);
  }
  const bool blocks = block_of(weights.storage) > 1;
  if (blocks && leaf.name == "emb.weight" && !weights.embedding) return leaf.storage;
  return leaf.columns() % block_of(weights.storage) == 0 ? weights.storage : leaf.storage;
}

}  // namespace detail

/// How the matrices among leaves are to be stored; `file`, by official names, is where they will come from, if from
/// one. Where rows are no whole blocks they stay as they are.
[[gnu::cold]] inline Storages storages_of(std::span<const Leaf> leaves, const Weights& weights,
                                          const TensorSource* file = nullptr) {
  Storages all;
  for (const Leaf& leaf : leaves)
    if (leaf.matrix)
      if (const Storage s = detail::storage_for(leaf, weights, file); s != leaf.storage && s != Storage::f64)
        all[leaf.name] = s;
  return all;
}

}  // namespace rwkv
