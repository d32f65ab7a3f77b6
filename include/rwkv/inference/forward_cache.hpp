#pragma once
#include <algorithm>

#include <rwkv/core/buffer.hpp>
#include <rwkv/core/leaf.hpp>
#include <rwkv/models/model.hpp>

namespace rwkv {

/// The cache of a forward pass that no backward pass follows, for signals of any size: blocks of a stack take turns
/// with the memory of two, since a block needs of those before it only what the last one gives. Holds any numbers at
/// first. Memory grows to what the largest signals so far took.
template <class Net, Backend B>
class ForwardCache {
  using T = typename B::scalar;

 public:
  using Cache = typename Model<Net, B>::Cache;

  /// For signals of these sizes, until it is asked for others. The same sizes lie at the same place as long as `data`
  /// stays the same.
  Cache& of(Seq seq) {
    if (seq == seq_) return cache_;
    detail::expect_sizes(seq, 1);
    seq_ = {0, 0};  // until all is placed: whoever asks again after an error meets it again
    const dim_t wanted = bind(seq, nullptr);
    if (wanted >= detail::uncountable / dim_t(sizeof(T))) detail::refuse_as_uncountable(seq);
    if (wanted > room_) {
      memory_.reset();
      room_ = 0;
      memory_.reset(B::allocate(wanted));
      room_ = wanted;
    }
    bind(seq, memory_.get());
    seq_ = seq;
    return cache_;
  }
  const T* data() const { return memory_.get(); }

 private:
  /// Blocks of one type lie alike, so that a block that takes the place of the last but one needs no more than where
  /// that began. A stack of several always ends on another turn than the next begins with.
  class Turns final : public detail::LeafVisitor<B> {
   public:
    Turns(Seq seq, T* memory) : detail::LeafVisitor<B>(seq), memory_(memory) {}
    T* place(const Path& path, const Field&, std::span<const dim_t> extents, Storage storage, bool) override {
      if (const int turn = path.turn(); turn != turn_) {
        turn_ = turn;
        next_ = turn < 2 ? wanted_ : begins_[turn % 2];
        if (turn == 0 || turn == 1) begins_[turn] = next_;
      }
      T* const at = memory_ ? memory_ + next_ : nullptr;
      dim_t size = bytes_of(storage, 1);
      for (const dim_t extent : extents) size = detail::product(size, Shape<>::extent(extent, this->seq));
      next_ = detail::sum(next_, detail::aligned((size + dim_t(sizeof(T)) - 1) / dim_t(sizeof(T))));
      wanted_ = std::max(wanted_, next_);
      return at;
    }
    const WeightFormat<B>* format(const Path&) override { return nullptr; }
    dim_t wanted() const { return wanted_; }

   private:
    T* memory_;
    int turn_ = -1;
    dim_t begins_[2]{}, next_ = 0, wanted_ = 0;  // scalars
  };

  /// Places every tensor from `memory` on and returns how many scalars they take; null: only counts.
  dim_t bind(Seq seq, T* memory) {
    Turns turns(seq, memory);
    detail::place_each(cache_, static_cast<detail::LeafVisitor<B>&>(turns));
    return turns.wanted();
  }

  Cache cache_{};
  Seq seq_{0, 0};
  dim_t room_ = 0;  // scalars
  detail::Buffer<B> memory_;
};

}  // namespace rwkv
