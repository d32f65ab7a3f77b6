#pragma once
#include <utility>
#include <vector>

#include <rwkv/core/accum.hpp>
#include <rwkv/core/buffer.hpp>
#include <rwkv/core/carry.hpp>

namespace rwkv {

/// Memory for what lives only within a call: taken in frames, given back when the frame ends, kept for the next step.
template <class B>
class Scratch {
 public:
  using T = typename B::scalar;
  using Number = compute_of<T>;

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
  /// The same of numbers in full precision.
  Number* accum(dim_t n) { return as<Number>(n); }
  template <class S>
  TensorOf<Accum<B>, S> accum(Seq seq) {
    return make(static_cast<TensorOf<Accum<B>, S>*>(nullptr), seq);
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
  /// A parameter's gradient to add to; where it is null, since the parameter is not trained, memory that nobody reads.
  template <class S>
  View<Number, S> gradient(View<Number, S> wanted) {
    return wanted.data ? wanted : make(&wanted, wanted.seq);
  }
  /// Scalars held.
  dim_t size() const {
    dim_t n = 0;
    for (auto& block : blocks_) n += block.size;
    return n;
  }

 private:
  template <class Other>
  Other* as(dim_t n) {
    return reinterpret_cast<Other*>(take(n * static_cast<dim_t>(sizeof(Other) / sizeof(T))));
  }
  template <class Other, class S>
  View<Other, S> make(View<Other, S>*, Seq seq) {
    return {as<Other>(S::size(seq)), seq};
  }
  TokenIds make(TokenIds*, Seq seq) { return {nullptr, seq}; }  // token numbers have no gradient
  template <class Stream, class Carried>
  CarryOf<Stream, Carried> make(CarryOf<Stream, Carried>*, Seq seq) {
    return {make(static_cast<Stream*>(nullptr), seq), make(static_cast<Carried*>(nullptr), seq)};
  }

  struct Block {
    detail::Buffer<B> memory;
    dim_t size;
  };
  std::vector<Block> blocks_;
  std::size_t block_ = 0;
  dim_t used_ = 0;
};

}  // namespace rwkv
