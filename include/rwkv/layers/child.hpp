#pragma once
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/pointwise.hpp>

// Layers inside a layer, such as the projections of a mix: any layer of the same shapes and without state can stand
// there. Their parameters and caches are members of the outer layer's bundles.
namespace rwkv {

/// Where an outer layer has no such child: neither parameters nor anything to keep.
struct NoChild {
  template <class B>
  using Params = Empty;
  template <class B>
  using Cache = Empty;
  static constexpr dim_t flops = 0;
};

template <class L, class B>
TensorOf<B, typename L::Out> forward_child(Context<B>& ctx, const typename L::template Params<B>& p,
                                           TensorOf<B, typename L::In> x, typename L::template Cache<B>& c) {
  static_assert(elements<typename L::template State<detail::Sizes>>() == 0,
                "a layer inside another one must have no state");
  typename L::template State<Accum<B>> none{};
  return L::forward(ctx, p, x, c, none);
}

/// Writes dx.
template <class L, class B>
void backward_child(Context<B>& ctx, const typename L::template Params<B>& p, const typename L::template Cache<B>& c,
                    TensorOf<B, typename L::Out> dy, TensorOf<B, typename L::In> dx,
                    typename L::template Params<Accum<B>>& dp) {
  typename L::template State<Accum<B>> none{};
  L::backward(ctx, p, c, dy, dx, dp, none);
}
/// Adds to dx.
template <class L, class B>
void backward_child_add(Context<B>& ctx, const typename L::template Params<B>& p,
                        const typename L::template Cache<B>& c, TensorOf<B, typename L::Out> dy,
                        TensorOf<B, typename L::In> dx, typename L::template Params<Accum<B>>& dp) {
  if constexpr (requires { L::backward_add(ctx, p, c, dy, dx, dp); }) {
    L::backward_add(ctx, p, c, dy, dx, dp);
  } else {
    const auto frame = ctx.scratch.frame();
    const auto more = ctx.scratch.template take<typename L::In>(dx.seq);
    backward_child<L>(ctx, p, c, dy, more, dp);
    add<B>(dx, more, dx);
  }
}

}  // namespace rwkv
