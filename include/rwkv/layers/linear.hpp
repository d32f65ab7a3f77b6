#pragma once
#include <rwkv/layers/init.hpp>
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/linear.hpp>

namespace rwkv {

/// y = x W^T, without bias; the weight is (Outputs, Inputs), as checkpoints store it.
template <dim_t Inputs, dim_t Outputs, const Init& How = init::orthogonal_unit>
struct Linear {
  using In = Shape<Batch, Time, Inputs>;
  using Out = Shape<Batch, Time, Outputs>;
  static constexpr dim_t flops = 2 * Inputs * Outputs;

  template <class B>
  struct Params {
    WeightMatrix<B, Outputs, Inputs> weight;
    static constexpr void fields(auto&& f, auto&&... p) { f(Field{"weight", How, true}, p.weight...); }
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
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    c.x = x;
    linear_forward<B>(ctx.scratch, p.weight, x, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>&, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, Empty&) {
    linear_backward<B>(p.weight, c.x, dy, dx, dp.weight);
  }
  /// Adds to dx.
  template <class B>
  static void backward_add(Context<B>&, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                           Params<Accum<B>>& dp) {
    linear_backward<B>(p.weight, c.x, dy, dx, dp.weight, true);
  }
};

}  // namespace rwkv
