#pragma once
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/repeat.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/layers/stream_only.hpp>
#include <rwkv/ops/pointwise.hpp>

// A net whose signal is two tensors: what its first block makes is carried along to all later ones.
namespace every {

using namespace rwkv;
template <dim_t C>
using Tokens = Shape<Batch, Time, C>;

/// y = a p + b q
template <class T>
struct Blend {
  compute_of<T> a, b;
  const T *p, *q;
  T* y;
  RWKV_HD void operator()(dim_t, auto i) const { store(y, i, a * load(p, i) + b * load(q, i)); }
};
template <class B, class S>
void blend(double a, View<typename B::scalar, S> p, double b, View<typename B::scalar, S> q,
           View<typename B::scalar, S> y) {
  using T = typename B::scalar;
  B::for_each(1, y.size(), Blend<T>{compute_of<T>(a), compute_of<T>(b), p.data, q.data, y.data});
}

template <dim_t C>
struct FirstBlock {  // x -> (2 x, x)
  using In = Tokens<C>;
  using Out = Carry<In, In>;
  static constexpr dim_t flops = 0;
  template <class B>
  using Params = Empty;
  template <class B>
  using State = Empty;
  template <class B>
  struct Cache {
    TensorOf<B, In> y;
    static constexpr void fields(auto&& f, auto&&... c) { f(Field{"y"}, c.y...); }
  };
  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Empty&, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    blend<B>(2, x, 0, x, c.y);
    return {c.y, x};
  }
  template <class B>
  static void backward(Context<B>&, const Empty&, const Cache<B>&, TensorOf<B, Out> dy, TensorOf<B, In> dx, Empty&,
                       Empty&) {
    blend<B>(2, dy.stream, 1, dy.carried, dx);
  }
};
template <dim_t C>
struct LaterBlock {  // (x, first) -> (x + 3 first, first)
  using In = Carry<Tokens<C>, Tokens<C>>;
  using Out = In;
  static constexpr dim_t flops = 0;
  template <class B>
  using Params = Empty;
  template <class B>
  using State = Empty;
  template <class B>
  struct Cache {
    TensorOf<B, Tokens<C>> y;
    static constexpr void fields(auto&& f, auto&&... c) { f(Field{"y"}, c.y...); }
  };
  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Empty&, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    blend<B>(1, x.stream, 3, x.carried, c.y);
    return {c.y, x.carried};
  }
  template <class B>
  static void backward(Context<B>&, const Empty&, const Cache<B>&, TensorOf<B, Out> dy, TensorOf<B, In> dx, Empty&,
                       Empty&) {
    blend<B>(1, dy.stream, 0, dy.stream, dx.stream);
    blend<B>(3, dy.stream, 1, dy.carried, dx.carried);
  }
};
struct CarryNet : Sequential<FirstBlock<4>, Repeat<3, LaterBlock<4>>, StreamOnly<Tokens<4>, Linear<4, 4>>,
                             Release<Tokens<4>, Tokens<4>>> {};

}  // namespace every
