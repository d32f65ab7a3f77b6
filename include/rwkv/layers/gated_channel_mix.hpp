#pragma once
#include <rwkv/layers/child.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/ops/activation.hpp>
#include <rwkv/ops/token_shift.hpp>

namespace rwkv {

/// The feed-forward part of versions 4 to 6: out = sigmoid(W_r xr) (W_v max(W_k xk, 0)^2), xk and xr being lerps of a
/// token with the one before it. C channels in and out, F inside. Mixes says what the lerps' weights are called, how
/// they start, and what they are weights of; W_k starts as Hidden. Projection is the kind of layer that W_k, W_r and
/// W_v are; its backward must not need its output.
template <class Mixes, const Init& Hidden, dim_t C, dim_t F, template <dim_t, dim_t, const Init&> class Projection>
struct GatedChannelMix {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  using Inside = Shape<Batch, Time, F>;
  using Key = Projection<C, F, Hidden>;
  using Receptance = Projection<C, C, init::zeros>;
  using Value = Projection<F, C, init::zeros>;
  static constexpr dim_t flops = Key::flops + Receptance::flops + Value::flops;

  template <class B>
  struct Params {
    Tensor<B, 1, 1, C> mix_k, mix_r;
    typename Key::template Params<B> key;
    typename Receptance::template Params<B> receptance;
    typename Value::template Params<B> value;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{Mixes::key, Mixes::init}, p.mix_k...);
      f(Field{Mixes::receptance, Mixes::init}, p.mix_r...);
      f(Field{"key"}, p.key...);
      f(Field{"receptance"}, p.receptance...);
      f(Field{"value"}, p.value...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 4;
    TensorOf<B, In> x;
    TensorOf<B, Inside> k;  // squared already
    TensorOf<B, Out> r, v;
    Tensor<Accum<B>, Batch, C> start;  // the token before the first
    Tensor<B, Batch, Time, C> xk, xr;
    typename Key::template Cache<B> key;
    typename Receptance::template Cache<B> receptance;
    typename Value::template Cache<B> value;
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"xk"}, c.xk...);
      f(Field{"xr"}, c.xr...);
      f(Field{"key"}, c.key...);
      f(Field{"receptance"}, c.receptance...);
      f(Field{"value"}, c.value...);
      f(Field{"y"}, c.y...);
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
    token_shift_forward<B, Mixes::of>(ctx.scratch, mixes<B>(p), x, s.last, std::array{c.xk, c.xr});
    c.k = forward_child<Key>(ctx, p.key, c.xk, c.key);
    activation_forward<B, activation::SquaredRelu>(c.k, c.k);
    c.v = forward_child<Value>(ctx, p.value, c.k, c.value);
    c.r = forward_child<Receptance>(ctx, p.receptance, c.xr, c.receptance);
    gate_forward<B>(c.r, c.v, c.y);
    return c.y;
  }

  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    auto& scratch = ctx.scratch;
    const auto frame = scratch.frame();
    const Seq seq = dy.seq;
    const auto dr = scratch.template take<Out>(seq), dv = scratch.template take<Out>(seq);
    const auto dk = scratch.template take<Inside>(seq);
    gate_backward<B>(c.r, c.v, dy, dr, dv);
    backward_child<Value>(ctx, p.value, c.value, dv, dk, dp.value);
    activation_backward<B, activation::SquaredRelu>(c.k, dk, dk);
    const auto dxk = scratch.template take<In>(seq), dxr = scratch.template take<In>(seq);
    backward_child<Key>(ctx, p.key, c.key, dk, dxk, dp.key);
    backward_child<Receptance>(ctx, p.receptance, c.receptance, dr, dxr, dp.receptance);
    token_shift_backward<B, Mixes::of>(scratch, mixes<B>(p), c.x, c.start, std::array{dxk, dxr}, dx,
                                       mixes<Accum<B>>(dp), ds.last);
  }

 private:
  template <class B>
  static auto mixes(const Params<B>& p) {
    return std::array{p.mix_k, p.mix_r};
  }
};

}  // namespace rwkv
