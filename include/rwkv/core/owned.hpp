#pragma once
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/core/buffer.hpp>
#include <rwkv/core/fields.hpp>
#include <rwkv/core/lanes.hpp>

namespace rwkv {

/// One tensor of a bundle, without its type: what initialising, stepping, saving and printing need to know of it.
struct Leaf {
  std::string name;  ///< dotted, from the outermost bundle
  Field field;
  int layer, layers;  ///< which block of how many
  std::vector<dim_t> shape;
  dim_t offset, size;  ///< in the bundle's memory, in its scalars

  dim_t columns() const { return shape.empty() ? 1 : shape.back(); }
  dim_t rows() const { return columns() > 0 ? size / columns() : 0; }
};

/// A bundle and its memory: one allocation, each leaf on a cache line, zeros between them. A regular value: a copy is
/// deep. Two of the same layer's and sizes have the same layout, so that what is done leaf by leaf needs only `leaves`
/// and `data`. A leaf may be of what B's scalars are computed with, as statistics in a Cache are.
template <class B, Bundle P>
class Owned : public P {
 public:
  using T = typename B::scalar;
  using bundle = P;

  /// All zeros; see reset for initial values.
  explicit Owned(Seq seq = {}) : seq_(seq) {
    const dim_t size = bind(nullptr);
    memory_.reset(B::allocate(size));
    B::fill(data(), size, T(0));
    bind(data());
  }
  Owned(const Owned& other) : Owned(other.seq_) { B::copy(data(), other.data(), size()); }
  Owned(Owned&& other) noexcept
      : P(std::exchange(other.view(), P{})),
        seq_(other.seq_),
        leaves_(std::move(other.leaves_)),
        memory_(std::move(other.memory_)) {
    other.leaves_.clear();
  }
  Owned& operator=(Owned other) noexcept {
    view() = other.view();
    seq_ = other.seq_;
    leaves_.swap(other.leaves_);
    memory_.swap(other.memory_);
    return *this;
  }

  P& view() { return *this; }
  const P& view() const { return *this; }
  T* data() const { return memory_.get(); }
  /// Scalars, the zeros between leaves included.
  dim_t size() const { return leaves_.empty() ? 0 : detail::aligned(leaves_.back().offset + leaves_.back().size); }
  Seq seq() const { return seq_; }
  const std::vector<Leaf>& leaves() const { return leaves_; }
  void zero() { B::fill(data(), size(), T(0)); }

  /// Writes every leaf's initial values.
  void reset(std::uint64_t seed = 0) {
    for (const Leaf& leaf : leaves_) {
      std::vector<float> values(static_cast<std::size_t>(leaf.size));
      const Random random = Random{seed}.named(leaf.name);
      leaf.field.init.fill({leaf.rows(), leaf.columns(), leaf.layer, leaf.layers, random}, leaf.field.init.gain,
                           values);
      const std::vector<T> host(values.begin(), values.end());
      B::upload(data() + leaf.offset, host.data(), leaf.size);
    }
  }

  /// Every scalar, on the host.
  std::vector<T> download() const {
    std::vector<T> host(static_cast<std::size_t>(size()));
    B::download(host.data(), data(), size());
    return host;
  }
  friend bool operator==(const Owned& a, const Owned& b) { return a.seq_ == b.seq_ && a.download() == b.download(); }

 private:
  /// Points every leaf into memory that begins at `base`, lists them the first time, and returns how much they take.
  dim_t bind(T* base) {
    const bool list = leaves_.empty();
    dim_t used = 0;
    for_each_leaf(
        [&]<class N, dim_t... D>(const Path& path, const Field& field, View<N, Shape<D...>>& leaf) {
          static_assert(std::is_same_v<N, T> || std::is_same_v<N, compute_of<T>>);
          leaf.seq = seq_;
          leaf.data =
              reinterpret_cast<N*>(place(path, field, Shape<D...>::extents, sizeof(N) / sizeof(T), list, base, used));
        },
        view());
    return used;
  }
  // Out of line: a walk instantiates its body for every tensor of every layer.
  [[gnu::noinline]] T* place(const Path& path, const Field& field, std::span<const dim_t> extents, dim_t size,
                             bool list, T* base, dim_t& used) {
    std::vector<dim_t> shape;
    for (const dim_t d : extents) shape.push_back(Shape<>::extent(d, seq_)), size *= shape.back();
    const dim_t offset = std::exchange(used, used + detail::aligned(size));
    if (list) {
      const Field block = path.block();
      leaves_.push_back({path.name(), field, block.index, block.depth, std::move(shape), offset, size});
    }
    return base == nullptr ? nullptr : base + offset;
  }

  Seq seq_;
  std::vector<Leaf> leaves_;
  detail::Buffer<B> memory_;
};

}  // namespace rwkv
