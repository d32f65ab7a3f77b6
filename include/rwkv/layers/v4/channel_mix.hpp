#pragma once
#include <rwkv/layers/layer.hpp>
#include <rwkv/layers/v4/init.hpp>
#include <rwkv/ops/linear.hpp>
#include <rwkv/ops/pointwise.hpp>
#include <rwkv/ops/token_shift.hpp>

namespace rwkv::v4 {

/// RWKV-4's feed-forward part: out = sigmoid(W_r xr) (W_v max(W_k xk, 0)^2), xk and xr being lerps of a token with the
/// one before it. C channels in and out, F inside.
template <dim_t C, dim_t F = 4 * C>
struct ChannelMix {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  using Inside = Shape<Batch, Time, F>;
  static constexpr dim_t flops = 2 * (2 * C * F + C * C);

  template <class B>
  struct Params {
    Tensor<B, 1, 1, C> time_mix_k, time_mix_r;
    Tensor<B, F, C> key;
    Tensor<B, C, C> receptance;
    Tensor<B, C, F> value;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"time_mix_k", time_mix}, p.time_mix_k...);
      f(Field{"time_mix_r", time_mix}, p.time_mix_r...);
      f(Field{"key.weight", init::orthogonal(), true}, p.key...);
      f(Field{"receptance.weight", init::zeros, true}, p.receptance...);
      f(Field{"value.weight", init::zeros, true}, p.value...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 1;
    TensorOf<B, In> x;
    Tensor<Accum<B>, Batch, C> start;  // the token before the first
    Tensor<B, Batch, Time, C> xk, xr;
    TensorOf<B, Inside> k;  // squared already
    Tensor<B, Batch, Time, C> r, v;
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"xk"}, c.xk...);
      f(Field{"xr"}, c.xr...);
      f(Field{"k"}, c.k...);
      f(Field{"r"}, c.r...);
      f(Field{"v"}, c.v...);
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
    token_shift_forward<B>(ctx.scratch, mixes<B>(p), x, s.last, std::array{c.xk, c.xr});
    linear_forward<B>(p.key, c.xk, c.k);
    squared_relu_forward<B>(c.k);
    linear_forward<B>(p.value, c.k, c.v);
    linear_forward<B>(p.receptance, c.xr, c.r);
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
    linear_backward<B>(p.value, c.k, dv, dk, dp.value);
    squared_relu_backward<B>(c.k, dk);
    const auto dxk = scratch.template take<In>(seq), dxr = scratch.template take<In>(seq);
    linear_backward<B>(p.key, c.xk, dk, dxk, dp.key);
    linear_backward<B>(p.receptance, c.xr, dr, dxr, dp.receptance);
    token_shift_backward<B>(scratch, mixes<B>(p), c.x, c.start, std::array{dxk, dxr}, dx, mixes<Accum<B>>(dp), ds.last);
  }

 private:
  template <class B>
  static auto mixes(const Params<B>& p) {
    return std::array{p.time_mix_k, p.time_mix_r};
  }
};

}  // namespace rwkv::v4
