#pragma once
#include <rwkv/layers/init.hpp>
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/embedding.hpp>

namespace rwkv {

/// Token numbers to vectors: row `id` of a table (V, C).
template <dim_t V, dim_t C, const Init& How = init::uniform_small>
struct Embedding {
  using In = Ids;
  using Out = Shape<Batch, Time, C>;
  static constexpr dim_t flops = 0;

  template <class B>
  struct Params {
    WeightMatrix<B, V, C> weight;
    static constexpr void fields(auto&& f, auto&&... p) { f(Field{"weight", How, true}, p.weight...); }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 1;
    TokenIds ids;
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) { f(Field{"y"}, c.y...); }
  };
  template <class B>
  using State = Empty;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Params<B>& p, TokenIds ids, Cache<B>& c, Empty&) {
    c.ids = ids;
    embedding_forward<B>(p.weight, ids, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>&, const Cache<B>& c, TensorOf<B, Out> dy, TokenIds,
                       Params<Accum<B>>& dp, Empty&) {
    embedding_backward<B>(ctx.scratch, c.ids, dy, dp.weight);
  }
};

}  // namespace rwkv
