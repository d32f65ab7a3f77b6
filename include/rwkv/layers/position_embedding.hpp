#pragma once
#include <rwkv/layers/init.hpp>
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/position_embedding.hpp>

namespace rwkv {

/// Learned positions: y_t = x_t + row of a table (Most, C) for every token's place in its sequence. A sequence of more
/// than Most tokens is an Error, or, on a machine that would have to be waited for (`asynchronous`), becomes NaN.
template <dim_t Most, dim_t C, const Init& How = init::uniform_small>
struct PositionEmbedding {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  static constexpr dim_t flops = 0;

  template <class B>
  struct Params {
    Tensor<B, Most, C> weight;
    static constexpr void fields(auto&& f, auto&&... p) { f(Field{"weight", How, true}, p.weight...); }
  };
  template <class B>
  struct Cache {
    Tensor<Accum<B>, Batch, 1> seen;  // before the call
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"seen"}, c.seen...);
      f(Field{"y"}, c.y...);
    }
  };
  template <class B>
  struct State {
    Tensor<B, Batch, 1> seen;  // tokens
    static constexpr void fields(auto&& f, auto&&... s) { f(Field{"seen"}, s.seen...); }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, State<Accum<B>>& s) {
    Accum<B>::copy(c.seen.data, s.seen.data, s.seen.size());
    position_embedding_forward<B>(p.weight, s.seen, x, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>&, const Params<B>&, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    position_embedding_backward<B>(c.seen, dy, dp.weight);
    B::copy(dx.data, dy.data, dy.size());
    Accum<B>::fill(ds.seen.data, ds.seen.size(), 0);
  }
};

}  // namespace rwkv
