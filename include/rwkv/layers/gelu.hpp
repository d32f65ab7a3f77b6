#pragma once
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/gelu.hpp>

namespace rwkv {

/// y = x Phi(x) on C channels, the exact form of GELU (Hendrycks and Gimpel, arXiv 1606.08415).
template <dim_t C>
struct Gelu {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  static constexpr dim_t flops = 0;

  template <class B>
  using Params = Empty;
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
  static TensorOf<B, Out> forward(Context<B>&, const Empty&, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    c.x = x;
    gelu_forward<B>(x, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>&, const Empty&, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx, Empty&,
                       Empty&) {
    gelu_backward<B>(c.x, dy, dx);
  }
};

}  // namespace rwkv
