#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>

#include <rwkv/core/buffer.hpp>
#include <rwkv/core/leaf.hpp>
#include <rwkv/core/quantise.hpp>

namespace rwkv {

/// The memory of a bundle and what lies where in it, without the bundle's type: one allocation, each leaf on a cache
/// line, zeros between them. What is done leaf by leaf needs no more, and is compiled once for all bundles. Two of the
/// same layer, sizes and layout lie alike. A leaf may be of what B's scalars are computed with, as statistics in a
/// Cache are, and a matrix may be stored in a format of its own.
template <class B>
class LeafMemory {
 public:
  using T = typename B::scalar;

  T* data() const { return memory_.get(); }
  /// Scalars, the zeros between leaves included.
  dim_t size() const { return leaves_.empty() ? 0 : leaves_.back().offset + detail::aligned(scalars(leaves_.back())); }
  Seq seq() const { return seq_; }
  /// In the order of their memory.
  const std::vector<Leaf>& leaves() const { return leaves_; }
  void zero() { B::fill(data(), size(), T(0)); }

  /// Writes every leaf's initial values.
  void reset(std::uint64_t seed = 0) {
    for (const Leaf& leaf : leaves_) {
      std::vector<float> values(static_cast<std::size_t>(leaf.size));
      const Random random = Random{seed}.named(leaf.name);
      leaf.field.init.fill({leaf.rows(), leaf.columns(), leaf.layer, leaf.layers, random}, leaf.field.init.gain,
                           values);
      std::vector<T> host(static_cast<std::size_t>(scalars(leaf)));
      encode<float>(leaf.storage, values, reinterpret_cast<std::byte*>(host.data()));
      upload(leaf, host.data());
    }
  }

  /// The numbers of a leaf from the host, as they are stored; `from` may be read up to the next whole scalar.
  void upload(const Leaf& leaf, const void* from) {
    B::upload(data() + leaf.offset, static_cast<const T*>(from), scalars(leaf));
  }
  /// Every scalar, on the host.
  std::vector<T> download() const {
    std::vector<T> host(static_cast<std::size_t>(size()));
    B::download(host.data(), data(), size());
    return host;
  }
  friend bool operator==(const LeafMemory& a, const LeafMemory& b) {
    return a.seq_ == b.seq_ && a.download() == b.download();
  }

 protected:
  /// All zeros; `list` names the bundle's leaves.
  LeafMemory(Seq seq, Layout<B> layout, std::vector<Leaf> (*list)(Seq, const Layout<B>&))
      : seq_(detail::expect_sizes(seq, 0)), layout_(std::move(layout)) {
    detail::order_leaves(list(seq_, layout_), leaves_, offsets_);
    memory_.reset(B::allocate(size()));
    zero();
  }
  LeafMemory(const LeafMemory& other)
      : seq_(other.seq_),
        layout_(other.layout_),
        leaves_(other.leaves_),
        offsets_(other.offsets_),
        memory_(B::allocate(size())) {
    B::copy(data(), other.data(), size());
  }
  LeafMemory(LeafMemory&&) noexcept = default;
  LeafMemory& operator=(LeafMemory&&) noexcept = default;
  ~LeafMemory() = default;

  /// Points every leaf of a bundle into the memory; null where it has none.
  class Binding final : public detail::LeafVisitor<B> {
   public:
    explicit Binding(const LeafMemory& memory) : detail::LeafVisitor<B>(memory.seq_), memory_(memory) {}
    T* place(const Path&, const Field&, std::span<const dim_t>, Storage, bool) override {
      const auto& offsets = memory_.offsets_;
      const dim_t offset = next_ < offsets.size() ? offsets[next_++] : -1;
      return offset < 0 ? nullptr : memory_.data() + offset;
    }
    const WeightFormat<B>* format(const Path& path) override {
      const auto& formats = memory_.layout_.formats;
      if (formats.empty()) return nullptr;
      const auto found = formats.find(path.name());
      return found == formats.end() ? nullptr : found->second;
    }

   private:
    const LeafMemory& memory_;
    std::size_t next_ = 0;
  };

 private:
  /// How many of the memory's scalars a leaf takes.
  static dim_t scalars(const Leaf& leaf) {
    constexpr auto scalar = static_cast<dim_t>(sizeof(T));
    return (leaf.bytes() + scalar - 1) / scalar;
  }

  Seq seq_;
  Layout<B> layout_;
  std::vector<Leaf> leaves_;
  std::vector<dim_t> offsets_;  // of all leaves, in the order of the fields; -1: not stored
  detail::Buffer<B> memory_;
};

}  // namespace rwkv
