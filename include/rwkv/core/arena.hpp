#pragma once
#include <memory>
#include <utility>
#include <vector>

#include <rwkv/core/fields.hpp>

namespace rwkv {

namespace detail {
inline constexpr dim_t leaf_alignment = 16;  // scalars: a cache line of floats
constexpr dim_t aligned(dim_t n) { return (n + leaf_alignment - 1) / leaf_alignment * leaf_alignment; }

template <class B>
struct Deallocate {
  void operator()(typename B::scalar* p) const { B::deallocate(p); }
};
template <class B>
using Buffer = std::unique_ptr<typename B::scalar[], Deallocate<B>>;
}  // namespace detail

/// A bundle and its memory: one allocation, each leaf on a cache line, zeros between them. A regular value: a copy is deep.
template <class B, Bundle P>
class Owned : public P {
 public:
  using T = typename B::scalar;
  using bundle = P;

  /// All zeros; see reset for a State.
  explicit Owned(Seq seq = {}) : seq_(seq) {
    for_each_leaf([&](auto&, auto&, auto& leaf) { size_ += detail::aligned(leaf_size(leaf)); }, view());
    memory_.reset(B::allocate(size_));
    B::fill(data(), size_, T(0));
    dim_t used = 0;
    for_each_leaf(
        [&](auto&, auto&, auto& leaf) {
          leaf.seq = seq;
          leaf.data = data() + used;
          used += detail::aligned(leaf_size(leaf));
        },
        view());
  }
  Owned(const Owned& other) : Owned(other.seq_) { B::copy(data(), other.data(), size_); }
  Owned(Owned&& other) noexcept
      : P(std::exchange(other.view(), P{})), seq_(other.seq_), size_(std::exchange(other.size_, 0)),
        memory_(std::move(other.memory_)) {}
  Owned& operator=(Owned other) noexcept {
    view() = other.view();
    seq_ = other.seq_;
    size_ = other.size_;
    memory_.swap(other.memory_);
    return *this;
  }

  P& view() { return *this; }
  const P& view() const { return *this; }
  T* data() const { return memory_.get(); }
  dim_t size() const { return size_; }  ///< scalars, the zeros between leaves included
  Seq seq() const { return seq_; }
  void zero() { B::fill(data(), size_, T(0)); }

  /// Writes every leaf's initial values.
  void reset(std::uint64_t seed = 0) {
    for_each_leaf(
        [&](const Path& path, const Field& field, auto& leaf) {
          const auto [rows, columns] = matrix(leaf);
          std::vector<float> values(static_cast<std::size_t>(leaf.size()));
          field.init.fill({rows, columns, path.layer, path.layers, Random{seed}.named(path.name)}, field.init.gain, values);
          const std::vector<T> host(values.begin(), values.end());
          B::upload(leaf.data, host.data(), leaf.size());
        },
        view());
  }

  /// Every scalar, on the host.
  std::vector<T> download() const {
    std::vector<T> host(static_cast<std::size_t>(size_));
    B::download(host.data(), data(), size_);
    return host;
  }
  friend bool operator==(const Owned& a, const Owned& b) { return a.seq_ == b.seq_ && a.download() == b.download(); }

 private:
  template <class Leaf>
  dim_t leaf_size(const Leaf&) const {
    return Leaf::shape::size(seq_);
  }
  template <class T_, dim_t... D>
  static std::pair<dim_t, dim_t> matrix(const View<T_, Shape<D...>>& leaf) {
    constexpr dim_t extents[] = {1, D...};
    constexpr dim_t columns = extents[sizeof...(D)];
    return {leaf.size() / columns, columns};
  }

  Seq seq_;
  dim_t size_ = 0;
  detail::Buffer<B> memory_;
};

/// Memory for what lives only within a call: taken in frames, given back when the frame ends, kept for the next step.
template <class B>
class Scratch {
 public:
  using T = typename B::scalar;

  /// Whatever is taken while a frame lives is free again when it ends.
  class Frame {
   public:
    explicit Frame(Scratch& scratch) : scratch_(scratch), block_(scratch.block_), used_(scratch.used_) {}
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() { scratch_.block_ = block_, scratch_.used_ = used_; }

   private:
    Scratch& scratch_;
    std::size_t block_;
    dim_t used_;
  };
  [[nodiscard]] Frame frame() { return Frame(*this); }

  /// n scalars, on a cache line, with any content.
  T* take(dim_t n) {
    n = detail::aligned(n);
    while (block_ < blocks_.size() && used_ + n > blocks_[block_].size) ++block_, used_ = 0;
    if (block_ == blocks_.size()) blocks_.push_back({detail::Buffer<B>(B::allocate(n)), n});
    return blocks_[block_].memory.get() + std::exchange(used_, used_ + n);
  }
  template <class S>
  TensorOf<B, S> take(Seq seq) {
    return make(static_cast<TensorOf<B, S>*>(nullptr), seq);
  }
  /// Binds every leaf of a bundle.
  template <Bundle P>
  P take_bundle(Seq seq) {
    P bundle{};
    for_each_leaf(
        [&](auto&, auto&, auto& leaf) { leaf = make(static_cast<std::remove_cvref_t<decltype(leaf)>*>(nullptr), seq); },
        bundle);
    return bundle;
  }
  /// Scalars held.
  dim_t size() const {
    dim_t n = 0;
    for (auto& block : blocks_) n += block.size;
    return n;
  }

 private:
  template <class S>
  View<T, S> make(View<T, S>*, Seq seq) {
    return {take(S::size(seq)), seq};
  }
  TokenIds make(TokenIds*, Seq seq) { return {nullptr, seq}; }  // token numbers have no gradient
  template <class X, class Y>
  Carried<X, Y> make(Carried<X, Y>*, Seq seq) {
    return {make(static_cast<X*>(nullptr), seq), make(static_cast<Y*>(nullptr), seq)};
  }

  struct Block {
    detail::Buffer<B> memory;
    dim_t size;
  };
  std::vector<Block> blocks_;
  std::size_t block_ = 0;
  dim_t used_ = 0;
};

/// What every forward and backward needs besides its operands.
template <class B>
struct Context {
  Scratch<B> scratch;
};

}  // namespace rwkv
