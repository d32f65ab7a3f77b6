#pragma once
#include <rwkv/layers/init.hpp>
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/affine.hpp>

namespace rwkv {

/// y = x W^T + b: a linear layer with bias. The weight is (O, I), as checkpoints store it.
template <dim_t I, dim_t O, const Init& How = init::orthogonal_unit, const Init& Bias = init::zeros>
struct Affine {
  using In = Shape<Batch, Time, I>;
  using Out = Shape<Batch, Time, O>;
  static constexpr dim_t flops = 2 * I * O;

  template <class B>
  struct Params {
    Tensor<B, O, I> weight;
    Tensor<B, O> bias;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"weight", How, true}, p.weight...);
      f(Field{"bias", Bias}, p.bias...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 1;
    TensorOf<B, In> x;
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) { f(Field{"y"}, c.y...); }
  };
  template <class B>
  using State = Empty;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    c.x = x;
    affine_forward<B>(p.weight, p.bias, x, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<B>& dp, Empty&) {
    affine_backward<B>(ctx.scratch, p.weight, c.x, dy, dx, dp.weight, dp.bias);
  }
};

}  // namespace rwkv
