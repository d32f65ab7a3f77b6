#pragma once
#include <utility>

#include <rwkv/core/accum.hpp>
#include <rwkv/core/leaf.hpp>
#include <rwkv/core/quantise.hpp>

namespace rwkv {

/// A bundle and its memory: one allocation, each leaf on a cache line, zeros between them. A regular value: a copy is
/// deep. Two of the same layer, sizes and layout lie alike, so that what is done leaf by leaf needs only `leaves` and
/// `data`. A leaf may be of what B's scalars are computed with, as statistics in a Cache are, and a matrix may be
/// stored in a format of its own.
template <class B, Bundle P>
class Owned : public P {
 public:
  using T = typename B::scalar;
  using bundle = P;

  /// All zeros; see reset for initial values. Error for sizes below 0 or beyond what can be counted; what is beyond the
  /// machine's memory is its OutOfMemory.
  explicit Owned(Seq seq = {}, Layout<B> layout = {}) : seq_(detail::expect_sizes(seq, 0)), layout_(std::move(layout)) {
    detail::order_leaves(list_leaves<B, P>(seq_, layout_), leaves_, offsets_);
    memory_.reset(B::allocate(size()));
    zero();
    bind();
  }
  Owned(const Owned& other) : Owned(other.seq_, other.layout_) { B::copy(data(), other.data(), other.size()); }
  Owned(Owned&& other) noexcept
      : P(std::exchange(other.view(), P{})),
        seq_(other.seq_),
        layout_(std::move(other.layout_)),
        leaves_(std::move(other.leaves_)),
        offsets_(std::move(other.offsets_)),
        memory_(std::move(other.memory_)) {
    other.leaves_.clear();
  }
  Owned& operator=(Owned other) noexcept {
    view() = other.view();
    seq_ = other.seq_;
    std::swap(layout_, other.layout_);
    leaves_.swap(other.leaves_);
    offsets_.swap(other.offsets_);
    memory_.swap(other.memory_);
    return *this;
  }

  P& view() { return *this; }
  const P& view() const { return *this; }
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
  friend bool operator==(const Owned& a, const Owned& b) { return a.seq_ == b.seq_ && a.download() == b.download(); }

 private:
  /// How many of the memory's scalars a leaf takes.
  static dim_t scalars(const Leaf& leaf) {
    constexpr auto scalar = static_cast<dim_t>(sizeof(T));
    return (leaf.bytes() + scalar - 1) / scalar;
  }
  /// Points every leaf into the memory; null where it has none.
  void bind() {
    std::size_t i = 0;
    for_each_leaf(
        [&]<class Tensor>(const Path& path, const Field&, Tensor& leaf) {
          using Number = typename Tensor::scalar;
          static_assert(std::is_same_v<Number, T> || std::is_same_v<Number, compute_of<T>>);
          leaf.seq = seq_;
          leaf.data = reinterpret_cast<Number*>(at(offsets_[i++]));
          if constexpr (requires { leaf.format; }) leaf.format = format(path);
        },
        view());
  }
  // Out of line: a visit instantiates its body for every tensor of every layer.
  [[gnu::noinline]] T* at(dim_t offset) const { return offset < 0 ? nullptr : data() + offset; }
  [[gnu::noinline]] const WeightFormat<B>* format(const Path& path) const {
    if (layout_.formats.empty()) return nullptr;
    const auto found = layout_.formats.find(path.name());
    return found == layout_.formats.end() ? nullptr : found->second;
  }

  Seq seq_;
  Layout<B> layout_;
  std::vector<Leaf> leaves_;
  std::vector<dim_t> offsets_;  // of all leaves, in the order of the fields; -1: not stored
  detail::Buffer<B> memory_;
};

}  // namespace rwkv
