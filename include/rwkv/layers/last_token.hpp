#pragma once
#include <rwkv/layers/layer.hpp>

namespace rwkv {

namespace detail {
template <class T>
struct LastRow {
  dim_t time, width;
  const T* x;
  T* y;
  RWKV_HD void operator()(dim_t b, auto c) const { store(y, b * width + c, load(x, ((b + 1) * time - 1) * width + c)); }
};
}  // namespace detail

/// L, of the last token of each sequence alone where the context wants no more (`last_token_only`): the head of a
/// language model that reads a prompt. Its output then has a time of 1. L has no state.
template <class L>
struct LastToken : L {
  using typename L::In, typename L::Out;
  static_assert(elements<typename L::template State<detail::Sizes>>() == 0,
                "LastToken: the layer must have no state, since it does not see all tokens");

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const typename L::template Params<B>& p, TensorOf<B, In> x,
                                  typename L::template Cache<B>& c, typename L::template State<Accum<B>>& s) {
    const Seq seq = x.seq, last{seq.batch, 1};
    if (!ctx.last_token_only || seq.time <= 1) return L::forward(ctx, p, x, c, s);
    const auto frame = ctx.scratch.frame();
    const auto tokens = ctx.scratch.template take<In>(last);
    B::for_each(seq.batch, In::unit, detail::LastRow<typename B::scalar>{seq.time, In::unit, x.data, tokens.data});
    auto shorter = c;
    for_each_leaf([&](auto&, auto&, auto& leaf) { leaf.seq = last; }, shorter);
    return L::forward(ctx, p, tokens, shorter, s);
  }
};

}  // namespace rwkv
