#pragma once
#include <rwkv/core/buffer.hpp>
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
    seq_ = detail::expect_sizes(seq, 1);
    used_ = 0;
    bind(cache_, nullptr);
    if (used_ >= detail::uncountable / dim_t(sizeof(T))) detail::refuse_as_uncountable(seq);
    if (used_ > room_) {
      memory_.reset();
      room_ = 0;
      memory_.reset(B::allocate(used_));
      room_ = used_;
    }
    used_ = 0;
    bind(cache_, memory_.get());
    return cache_;
  }
  const T* data() const { return memory_.get(); }

 private:
  /// Places every tensor from `memory` on; null: only counts.
  template <class P>
  void bind(P& bundle, T* memory) {
    if constexpr (requires { P::stacked; }) {
      for (std::size_t i = 0; i < bundle.at.size(); ++i) {
        if (i < 2)
          bind(bundle.at[i], memory);
        else
          bundle.at[i] = bundle.at[i - 2];
      }
    } else if constexpr (Bundle<P>) {
      P::fields([&](const Field&, auto& member) { bind(member, memory); }, bundle);
    } else {
      using Number = typename P::scalar;
      bundle.seq = seq_;
      bundle.data = memory ? reinterpret_cast<Number*>(memory + used_) : nullptr;
      const dim_t bytes = detail::product(detail::size_at<typename P::shape>(seq_), dim_t(sizeof(Number)));
      used_ = detail::sum(used_, detail::aligned((bytes + dim_t(sizeof(T)) - 1) / dim_t(sizeof(T))));
    }
  }

  Cache cache_{};
  Seq seq_{0, 0};
  dim_t used_ = 0, room_ = 0;  // scalars
  detail::Buffer<B> memory_;
};

}  // namespace rwkv
