#pragma once
#include <rwkv/layers/child.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/v7/init.hpp>
#include <rwkv/ops/activation.hpp>
#include <rwkv/ops/token_shift.hpp>

namespace rwkv::v7 {

/// RWKV-7's feed-forward part (Peng et al. 2025, arXiv 2503.14456): out = W_v max(W_k xk, 0)^2, xk being a lerp of a
/// token with the one before it. C channels in and out, F inside. Projection is the kind of layer that W_k and W_v are;
/// its backward must not need its output.
template <dim_t C, dim_t F = 4 * C, template <dim_t, dim_t, const Init&> class Projection = Linear>
struct ChannelMix {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  using Inside = Shape<Batch, Time, F>;
  using Key = Projection<C, F, projection>;
  using Value = Projection<F, C, init::zeros>;
  static constexpr dim_t flops = Key::flops + Value::flops;

  template <class B>
  struct Params {
    Tensor<B, 1, 1, C> x_k;
    typename Key::template Params<B> key;
    typename Value::template Params<B> value;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"x_k", hidden_mix}, p.x_k...);
      f(Field{"key"}, p.key...);
      f(Field{"value"}, p.value...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 2;
    TensorOf<B, In> x;
    TensorOf<B, Inside> k;             // squared already
    Tensor<Accum<B>, Batch, C> start;  // the token before the first
    TensorOf<B, In> xk;
    typename Key::template Cache<B> key;
    typename Value::template Cache<B> value;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"xk"}, c.xk...);
      f(Field{"key"}, c.key...);
      f(Field{"value"}, c.value...);
    }
  };
  template <class B>
  struct State {
    Tensor<B, Batch, C> last;  // the last token this layer saw
    static constexpr void fields(auto&& f, auto&&... s) { f(Field{"last"}, s.last...); }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    c.x = x;
    Accum<B>::copy(c.start.data, s.last.data, s.last.size());
    token_shift_forward<B, MixOf::previous>(ctx.scratch, std::array{p.x_k}, x, s.last, std::array{c.xk});
    c.k = forward_child<Key>(ctx, p.key, c.xk, c.key);
    activation_forward<B, activation::SquaredRelu>(c.k, c.k);
    return forward_child<Value>(ctx, p.value, c.k, c.value);
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    auto& scratch = ctx.scratch;
    const auto frame = scratch.frame();
    const auto dk = scratch.template take<Inside>(dy.seq);
    const auto dxk = scratch.template take<In>(dy.seq);
    backward_child<Value>(ctx, p.value, c.value, dy, dk, dp.value);
    activation_backward<B, activation::SquaredRelu>(c.k, dk, dk);
    backward_child<Key>(ctx, p.key, c.key, dk, dxk, dp.key);
    token_shift_backward<B, MixOf::previous>(scratch, std::array{p.x_k}, c.x, c.start, std::array{dxk}, dx,
                                             std::array{dp.x_k}, ds.last);
  }
};

}  // namespace rwkv::v7
