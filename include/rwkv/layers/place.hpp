#pragma once
#include <rwkv/layers/repeat.hpp>

namespace rwkv {

/// L as number Index of a stack of Count blocks, for one that differs from its fellows; those stand in a Repeat beside
/// it.
template <int Index, int Count, class Each>
struct Place {
  using L = typename detail::UnderNumber<Each>::type;
  static constexpr bool composes = true;
  static constexpr dim_t flops = L::flops;
  using In = typename L::In;
  using Out = typename L::Out;

  template <class Kind, class B>
  struct Part {
    typename Kind::template of<L, B> at;
    static constexpr void fields(auto&& f, auto&&... p) { f(Field{.index = Index, .depth = Count}, p.at...); }
  };
  template <class B>
  using Params = Part<detail::ParamsOf, B>;
  template <class B>
  using Cache = Part<detail::CacheOf, B>;
  template <class B>
  using State = Part<detail::StateOf, B>;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    return L::forward(ctx, p.at, x, c.at, s.at);
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    L::backward(ctx, p.at, c.at, dy, dx, dp.at, ds.at);
  }
};

}  // namespace rwkv
