#pragma once
#include <rwkv/layers/check_layer.hpp>
#include <rwkv/layers/child_name.hpp>
#include <rwkv/layers/named.hpp>

namespace rwkv {
namespace detail {

/// Layers from a place on.
template <int Place, Apart apart, class... Ls>
struct Chain;

template <int Place, Apart apart, class A>
struct Chain<Place, apart, A> {
  using In = typename A::In;
  using Out = typename A::Out;
  static constexpr dim_t flops = A::flops;

  template <class Kind, class B>
  struct Parts {
    typename Kind::template of<A, B> first;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(field_of<A>(Place, apart.template of<Kind>()), p.first...);
    }
  };
  template <class B>
  using Params = Parts<ParamsOf, B>;
  template <class B>
  using Cache = Parts<CacheOf, B>;
  template <class B>
  using State = Parts<StateOf, B>;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    return A::forward(ctx, p.first, x, c.first, s.first);
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    A::backward(ctx, p.first, c.first, dy, dx, dp.first, ds.first);
  }
};

template <int Place, Apart apart, class A, class Next, class... More>
struct Chain<Place, apart, A, Next, More...> {
  using Rest = Chain<Place + 1, apart, Next, More...>;
  static_assert(SameShape<typename A::Out, typename Next::In>,
                "Sequential: a layer must take the shape the layer before it returns");
  using In = typename A::In;
  using Between = typename A::Out;
  using Out = typename Rest::Out;
  static constexpr dim_t flops = A::flops + Rest::flops;

  template <class Kind, class B>
  struct Parts {
    typename Kind::template of<A, B> first;
    typename Kind::template of<Rest, B> rest;
    static constexpr bool unfolds = true;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(field_of<A>(Place, apart.template of<Kind>()), p.first...);
      decltype(rest)::fields(f, p.rest...);
    }
  };
  template <class B>
  using Params = Parts<ParamsOf, B>;
  template <class B>
  using Cache = Parts<CacheOf, B>;
  template <class B>
  using State = Parts<StateOf, B>;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    return Rest::forward(ctx, p.rest, A::forward(ctx, p.first, x, c.first, s.first), c.rest, s.rest);
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    const auto frame = ctx.scratch.frame();
    const auto between = ctx.scratch.template take<Between>(seq_of(dy));
    Rest::backward(ctx, p.rest, c.rest, dy, between, dp.rest, ds.rest);
    A::backward(ctx, p.first, c.first, between, dx, dp.first, ds.first);
  }
};

}  // namespace detail

/// One layer after another. Layers without a name are called by their place: "0", "1", ...; composers without one only
/// where two tensors would otherwise be called alike: "1.0", "2.0", ...
template <class... Ls>
struct Sequential : detail::Chain<0, detail::apart_of<detail::checked<Ls>...>, detail::checked<Ls>...> {
  using composes = detail::Layers<Ls...>;
};

}  // namespace rwkv
