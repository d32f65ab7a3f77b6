#pragma once
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <rwkv/core/buffer.hpp>
#include <rwkv/core/error.hpp>
#include <rwkv/core/fields.hpp>
#include <rwkv/core/weight_matrix.hpp>

namespace rwkv {

/// One tensor of a bundle, without its type: what initialising, stepping, saving and printing need to know of it.
struct Leaf {
  std::string name;  ///< dotted, from the outermost bundle
  Field field;
  int layer, layers;  ///< which block of how many
  std::vector<dim_t> shape;
  Storage storage;
  bool trained;
  bool matrix;       ///< may be stored otherwise than the bundle's scalars: a Matrix
  dim_t offset = 0;  ///< in the bundle's memory, in its scalars
  dim_t size = 0;    ///< numbers
  dim_t first = 0;   ///< where only a part of a tensor is in memory: the place of its first number in the whole

  dim_t bytes() const { return detail::product(size / block_of(storage), bytes_of(storage, block_of(storage))); }
  dim_t columns() const { return shape.empty() ? 1 : shape.back(); }
  dim_t rows() const { return columns() > 0 ? size / columns() : 0; }
};

/// How a bundle lies in the memory of machine B.
template <class B>
struct Layout {
  bool trained_only = false;  ///< leaves that are not trained take no memory: for gradients and moments
  std::map<std::string, const WeightFormat<B>*> formats = {};  ///< of matrices not stored as B's scalars, by name
};

namespace detail {

/// Places leaves one after the other, each on a cache line, and returns how many scalars they take.
inline dim_t place_leaves(std::vector<Leaf>& leaves, std::size_t scalar_bytes, bool trained, dim_t used) {
  const auto scalar = static_cast<dim_t>(scalar_bytes);
  for (Leaf& leaf : leaves)
    if (leaf.trained == trained) leaf.offset = used, used = sum(used, aligned((leaf.bytes() + scalar - 1) / scalar));
  return used;
}

[[gnu::cold, gnu::noinline]] inline void store_as(std::vector<Leaf>& leaves, const std::string& name, Storage storage) {
  for (Leaf& leaf : leaves)
    if (leaf.name == name && leaf.matrix) {
      if (leaf.columns() % block_of(storage) != 0)
        throw Error(name, ": expected rows of whole blocks of ", block_of(storage), " to store it as ",
                    name_of(storage), ", found rows of ", leaf.columns(), "; store it as F32 or BF16");
      leaf.storage = storage;
      return;
    }
  throw Error(name, ": expected the name of a matrix in a layout of formats, found none of that name");
}

/// Those with memory, in its order, and where each lies, in the order of the fields.
[[gnu::noinline]] inline void order_leaves(std::vector<Leaf>&& all, std::vector<Leaf>& ordered,
                                           std::vector<dim_t>& offsets) {
  for (const Leaf& leaf : all) offsets.push_back(leaf.offset);
  for (const bool trained : {true, false})
    for (Leaf& leaf : all)
      if (leaf.trained == trained && leaf.offset >= 0) ordered.push_back(std::move(leaf));
}

inline void list_leaf(const Path& path, const Field& field, std::span<const dim_t> extents, Seq seq, Storage storage,
                      bool matrix, std::vector<Leaf>& leaves) {
  const Field block = path.block();
  Leaf& leaf = leaves.emplace_back(
      Leaf{path.name(), field, block.index, block.depth, {}, storage, path.trained(), matrix, 0, 1});
  for (const dim_t d : extents)
    leaf.shape.push_back(Shape<>::extent(d, seq)), leaf.size = product(leaf.size, leaf.shape.back());
  if (leaf.bytes() >= uncountable) refuse_as_uncountable(seq);
}

}  // namespace detail

namespace detail {
/// Error if two leaves have the same name: they would start alike, and no file could hold both.
[[gnu::cold, gnu::noinline]] inline void expect_different_names(const std::vector<Leaf>& leaves) {
  for (const Leaf& leaf : leaves)
    for (const Leaf* other = leaves.data(); other != &leaf; ++other)
      if (other->name == leaf.name)
        throw Error("two parameters are called \"", leaf.name,
                    "\": give their fields, or layers by Named, different names");
}
}  // namespace detail

namespace detail {

/// What is done with each leaf of a bundle, without the tensor's type. A visit is compiled for every bundle, so that
/// one serves both to list the leaves and to place them.
template <class B>
struct LeafVisitor {
  explicit LeafVisitor(Seq of) : seq(of) {}
  /// Where the leaf's numbers lie; null where it has none.
  virtual typename B::scalar* place(const Path&, const Field&, std::span<const dim_t> extents, Storage,
                                    bool matrix) = 0;
  virtual const WeightFormat<B>* format(const Path&) = 0;
  const Seq seq;

 protected:
  ~LeafVisitor() = default;
};

/// What is done with a leaf of machine B, for bundles of all types.
template <class B>
struct PlaceLeaf {
  LeafVisitor<B>& visitor;

  template <class Tensor>
  void operator()(const Path& path, const Field& field, Tensor& leaf) const {
    using Number = typename Tensor::scalar;
    static_assert(std::is_same_v<Number, typename B::scalar> || std::is_same_v<Number, compute_of<typename B::scalar>>);
    constexpr bool matrix = requires {
      leaf.format;
    };
    leaf.seq = visitor.seq;
    leaf.data =
        reinterpret_cast<Number*>(visitor.place(path, field, Tensor::shape::extents, storage_of<Number>, matrix));
    if constexpr (matrix) leaf.format = visitor.format(path);
  }
};

/// Every leaf gets the visitor's sizes and its place.
template <class B, Bundle P>
void place_each(P& bundle, LeafVisitor<B>& visitor) {
  for_each_leaf(PlaceLeaf<B>{visitor}, bundle);
}

template <class B>
struct LeafList final : LeafVisitor<B> {
  using LeafVisitor<B>::LeafVisitor;
  std::vector<Leaf> leaves;

  typename B::scalar* place(const Path& path, const Field& field, std::span<const dim_t> extents, Storage storage,
                            bool matrix) override {
    list_leaf(path, field, extents, this->seq, storage, matrix, leaves);
    return nullptr;
  }
  const WeightFormat<B>* format(const Path&) override { return nullptr; }

  /// With their places.
  std::vector<Leaf> laid_out(const Layout<B>& layout) && {
    for (const auto& [name, format] : layout.formats) store_as(leaves, name, format->storage);
    const dim_t used = place_leaves(leaves, sizeof(typename B::scalar), true, 0);
    if (!layout.trained_only) {
      place_leaves(leaves, sizeof(typename B::scalar), false, used);
    } else {
      for (Leaf& leaf : leaves)
        if (!leaf.trained) leaf.offset = -1;
    }
    return std::move(leaves);
  }
};

}  // namespace detail

/// The leaves of a bundle in the order of its fields, without memory for them. Trained ones come first in memory, so
/// that a gradient, which has only those, has the same offsets; what gets no memory has offset -1.
template <class B, Bundle P>
std::vector<Leaf> list_leaves(Seq seq = {}, const Layout<B>& layout = {}) {
  P bundle{};
  detail::LeafList<B> list(seq);
  detail::place_each(bundle, static_cast<detail::LeafVisitor<B>&>(list));
  return std::move(list).laid_out(layout);
}

}  // namespace rwkv
