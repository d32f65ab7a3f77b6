#pragma once
#include <rwkv/layers/sequential.hpp>
#include <rwkv/ops/dropout.hpp>

namespace rwkv {

/// In training, y = x of which Percent of 100 numbers, chosen at random, are 0 and the others divided by
/// 1 - Percent / 100 (Srivastava et al. 2014); else, where Context::dropout is off, y = x.
template <dim_t C, int Percent>
struct Dropout {
  static_assert(0 < Percent && Percent < 100, "Dropout: the share that is dropped must lie between 0 and 100 percent");
  using In = Shape<Batch, Time, C>;
  using Out = In;
  static constexpr dim_t flops = 0;

  template <class B>
  using Params = Empty;
  template <class B>
  struct Cache {
    static constexpr int borrowed = 1;
    DropoutStream dropped;
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) { f(Field{"y"}, c.y...); }
  };
  template <class B>
  using State = Empty;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Empty&, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    c.dropped = ctx.dropout.next();
    if (!c.dropped.active) return x;
    dropout<B>(drops(c), x, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>&, const Empty&, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx, Empty&,
                       Empty&) {
    if (c.dropped.active)
      dropout<B>(drops(c), dy, dx);
    else
      B::copy(dx.data, dy.data, dy.size());
  }

 private:
  template <class B>
  static DropSome<Percent> drops(const Cache<B>& c) {
    return {c.dropped.random, c.dropped.before};
  }
};

/// L with dropout behind it; just L where Percent is 0.
template <int Percent, class L>
struct Dropped : Sequential<L, Dropout<L::Out::unit, Percent>> {};
template <class L>
struct Dropped<0, L> : Sequential<L> {};

}  // namespace rwkv
