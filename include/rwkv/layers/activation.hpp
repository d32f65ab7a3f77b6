#pragma once
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/activation.hpp>

namespace rwkv {

/// y = Function(x) for each of C channels by itself; Function is one of rwkv::activation, or alike.
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
    activation_forward<B, Function>(x, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>&, const Empty&, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx, Empty&,
                       Empty&) {
    activation_backward<B, Function>(Function::of_output ? c.y : c.x, dy, dx);
  }
};

// Structs, not aliases, so that messages name them.
template <dim_t C>
struct Relu : Activation<C, activation::Relu> {};
template <dim_t C>
struct SquaredRelu : Activation<C, activation::SquaredRelu> {};
template <dim_t C>
struct Sigmoid : Activation<C, activation::Sigmoid> {};
template <dim_t C>
struct Tanh : Activation<C, activation::Tanh> {};
template <dim_t C>
struct Silu : Activation<C, activation::Silu> {};
template <dim_t C>
struct Gelu : Activation<C, activation::Gelu> {};

}  // namespace rwkv
