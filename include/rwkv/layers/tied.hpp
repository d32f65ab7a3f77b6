#pragma once
#include <rwkv/layers/sequential.hpp>

namespace rwkv {
namespace detail {

template <class First, class Body, class Last>
struct TiedLayers {
  static_assert(SameShape<typename First::Out, typename Body::In>,
                "Tied: the body must take the shape the first layer returns");
  static_assert(SameShape<typename Body::Out, typename Last::In>,
                "Tied: the last layer must take the shape the body returns");
  static_assert(
      SameShape<decltype(First::template Params<Sizes>::weight), decltype(Last::template Params<Sizes>::weight)>,
      "Tied: both layers must have a weight of the same shape");
  static constexpr Apart apart = apart_of<First, Body>;
  static constexpr dim_t flops = First::flops + Body::flops + Last::flops;
  using In = typename First::In;
  using Out = typename Last::Out;

  template <class B>
  struct Params {
    typename First::template Params<B> first;
    typename Body::template Params<B> body;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(field_of<First>(0, apart.params), p.first...);
      f(field_of<Body>(1, apart.params), p.body...);
    }
  };
  template <class Kind, class B>
  struct Parts {
    typename Kind::template of<First, B> first;
    typename Kind::template of<Body, B> body;
    typename Kind::template of<Last, B> last;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(field_of<First>(0, apart.template of<Kind>()), p.first...);
      f(field_of<Body>(1, apart.template of<Kind>()), p.body...);
      f(field_of<Last>(2, apart.template of<Kind>()), p.last...);
    }
  };
  template <class B>
  using Cache = Parts<CacheOf, B>;
  template <class B>
  using State = Parts<StateOf, B>;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    const auto y = Body::forward(ctx, p.body, First::forward(ctx, p.first, x, c.first, s.first), c.body, s.body);
    return Last::forward(ctx, last<B>(p), y, c.last, s.last);
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    const auto frame = ctx.scratch.frame();
    const auto d_last = ctx.scratch.template take<typename Body::Out>(seq_of(dy));
    const auto d_body = ctx.scratch.template take<typename Body::In>(seq_of(dy));
    auto shared = last<Accum<B>>(dp);
    Last::backward(ctx, last<B>(p), c.last, dy, d_last, shared, ds.last);
    Body::backward(ctx, p.body, c.body, d_last, d_body, dp.body, ds.body);
    First::backward(ctx, p.first, c.first, d_body, dx, dp.first, ds.first);
  }

 private:
  template <class B>
  static typename Last::template Params<B> last(const Params<B>& p) {
    return {p.first.weight};
  }
};

}  // namespace detail

/// First, then Body, then Last, where Last reads the very weight of First: one leaf with two views, so it is counted,
/// updated and saved once, and its gradient is the sum of both uses. For an embedding that is also the output head.
template <class First, class Body, class Last>
struct Tied : detail::TiedLayers<detail::checked<First>, detail::checked<Body>, detail::checked<Last>> {
  using composes = detail::Layers<First, Body, Last>;
};

}  // namespace rwkv
