#pragma once
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/layer_norm.hpp>

namespace rwkv {

/// Every token's C channels to mean 0 and variance 1, then weight and bias (Ba et al. 2016); eps is 1e-5.
template <dim_t C>
struct LayerNorm {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  static constexpr dim_t flops = 0;
  static constexpr double eps = 1e-5;

  template <class B>
  struct Params {
    Tensor<B, C> weight, bias;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"weight", init::ones}, p.weight...);
      f(Field{"bias", init::zeros}, p.bias...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 1;
    TensorOf<B, In> x;
    TensorOf<B, Out> y;
    Tensor<Accum<B>, Batch, Time, 1> mean, rstd;
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
    layer_norm_forward<B>(ctx.scratch, eps, p.weight, p.bias, x, c.y, c.mean, c.rstd);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, Empty&) {
    layer_norm_backward<B>(ctx.scratch, p.weight, c.x, c.mean, c.rstd, dy, dx, dp.weight, dp.bias);
  }
};

}  // namespace rwkv
