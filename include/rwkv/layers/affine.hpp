#pragma once
#include <rwkv/layers/linear.hpp>
#include <rwkv/ops/affine.hpp>

namespace rwkv {

/// A bias that starts as zeros. A type, as nvcc takes no reference to a member of a template for an argument.
struct ZeroBias {
  static constexpr Init init = rwkv::init::zeros;
};

/// y = x W^T + b: a linear layer with a bias, which starts as Bias::init.
template <dim_t Inputs, dim_t Outputs, const Init& How = init::orthogonal_unit, class Bias = ZeroBias>
struct Affine : Linear<Inputs, Outputs, How> {
  using typename Linear<Inputs, Outputs, How>::In, typename Linear<Inputs, Outputs, How>::Out;
  template <class B>
  using Cache = typename Linear<Inputs, Outputs, How>::template Cache<B>;

  template <class B>
  struct Params {
    WeightMatrix<B, Outputs, Inputs> weight;
    Tensor<B, Outputs> bias;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"weight", How, true}, p.weight...);
      f(Field{"bias", Bias::init}, p.bias...);
    }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    c.x = x;
    affine_forward<B>(ctx.scratch, p.weight, p.bias, x, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, Empty&) {
    affine_backward<B>(ctx.scratch, p.weight, c.x, dy, dx, dp.weight, dp.bias);
  }
  /// Adds to dx.
  template <class B>
  static void backward_add(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy,
                           TensorOf<B, In> dx, Params<Accum<B>>& dp) {
    affine_backward<B>(ctx.scratch, p.weight, c.x, dy, dx, dp.weight, dp.bias, true);
  }
};

}  // namespace rwkv
