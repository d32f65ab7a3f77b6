#pragma once
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/relu.hpp>

namespace rwkv {

/// y = max(x, 0) on C channels.
template <dim_t C>
struct Relu {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  static constexpr dim_t flops = 0;

  template <class B>
  using Params = Empty;
  template <class B>
  struct Cache {
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) { f(Field{"y"}, c.y...); }
  };
  template <class B>
  using State = Empty;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Empty&, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    relu_forward<B>(x, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>&, const Empty&, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx, Empty&,
                       Empty&) {
    relu_backward<B>(c.y, dy, dx);
  }
};

}  // namespace rwkv
