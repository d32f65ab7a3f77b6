#pragma once
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/layer_norm.hpp>

namespace rwkv {

/// Every token's C channels, in G groups of neighbours, to mean 0 and variance 1 in each group, then weight and bias
/// (Wu and He 2018). How says what is added to the variance, How::eps, and how the weight starts, How::weight.
template <dim_t C, dim_t G, class How>
struct GroupNorm {
  static_assert(G > 0 && C % G == 0, "GroupNorm: the groups must divide the channels");
  using In = Shape<Batch, Time, C>;
  using Out = In;
  static constexpr dim_t flops = 0;

  template <class B>
  struct Params {
    Tensor<B, C> weight, bias;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"weight", How::weight}, p.weight...);
      f(Field{"bias", init::zeros}, p.bias...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 1;
    TensorOf<B, In> x;
    TensorOf<B, Out> y;
    Tensor<Accum<B>, Batch, Time, G> mean, rstd;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"y"}, c.y...);
      f(Field{"mean"}, c.mean...);
      f(Field{"rstd"}, c.rstd...);
    }
  };
  template <class B>
  using State = Empty;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    c.x = x;
    layer_norm_forward<B>(ctx.scratch, How::eps, p.weight, p.bias, x, c.y, c.mean, c.rstd);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, Empty&) {
    layer_norm_backward<B>(ctx.scratch, p.weight, c.x, c.mean, c.rstd, dy, dx, dp.weight, dp.bias);
  }
};

}  // namespace rwkv
