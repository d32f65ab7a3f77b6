#pragma once
#include <rwkv/layers/layer.hpp>

namespace rwkv {

/// y = f(x) for each of C channels by itself. Function has forward<B>(x, y) and backward<B>(x, dy, dx).
template <dim_t C, class Function>
struct Activation {
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
    Function::template forward<B>(x, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>&, const Empty&, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx, Empty&,
                       Empty&) {
    Function::template backward<B>(c.x, dy, dx);
  }
};

}  // namespace rwkv
