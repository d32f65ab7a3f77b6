#pragma once
#include <rwkv/layers/layer.hpp>
#include <rwkv/layers/v1/init.hpp>
#include <rwkv/ops/affine.hpp>
#include <rwkv/ops/gated_activation.hpp>
#include <rwkv/ops/partial_shift.hpp>
#include <rwkv/ops/pointwise.hpp>

namespace rwkv::v1 {

/// The study's feed-forward part: z = A(half a token, half the one before), out = sigmoid(R z) W(mish(K z) V z); F
/// channels inside.
template <dim_t C, dim_t F, class Activation>
struct ChannelMix {
  static constexpr dim_t half = C / 2;
  using In = Shape<Batch, Time, C>;
  using Out = In;
  using Inside = Shape<Batch, Time, F>;
  static constexpr dim_t flops = 2 * (3 * C * F + C * C);

  template <class B>
  struct Params {
    Tensor<B, C, C> receptance;
    Tensor<B, C> receptance_bias;
    Tensor<B, F, C> key;
    Tensor<B, F> key_bias;
    Tensor<B, F, C> value;
    Tensor<B, F> value_bias;
    Tensor<B, C, F> weight;
    Tensor<B, C> weight_bias;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"Receptance.weight", linear_weight, true}, p.receptance...);
      f(Field{"Receptance.bias", linear_bias<C>}, p.receptance_bias...);
      f(Field{"Key.weight", linear_weight, true}, p.key...);
      f(Field{"Key.bias", linear_bias<C>}, p.key_bias...);
      f(Field{"Value.weight", linear_weight, true}, p.value...);
      f(Field{"Value.bias", linear_bias<C>}, p.value_bias...);
      f(Field{"Weight.weight", linear_weight, true}, p.weight...);
      f(Field{"Weight.bias", linear_bias<F>}, p.weight_bias...);
    }
  };
  template <class B>
  struct State {
    Tensor<B, Batch, half> last;  // half of the last token this layer saw
    static constexpr void fields(auto&& f, auto&&... s) { f(Field{"last"}, s.last...); }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 1;
    TensorOf<B, In> x;
    Tensor<Accum<B>, Batch, half> start;  // of the token before the first
    Tensor<B, Batch, Time, C> z, r, w;
    Tensor<B, Batch, Time, F> k, v, product;
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"z"}, c.z...);
      f(Field{"r"}, c.r...);
      f(Field{"w"}, c.w...);
      f(Field{"k"}, c.k...);
      f(Field{"v"}, c.v...);
      f(Field{"product"}, c.product...);
      f(Field{"y"}, c.y...);
    }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, State<Accum<B>>& s) {
    c.x = x;
    Accum<B>::copy(c.start.data, s.last.data, s.last.size());
    partial_shift_forward<B, Activation>(x, s.last, c.z);
    affine_forward<B>(p.receptance, p.receptance_bias, c.z, c.r);
    affine_forward<B>(p.key, p.key_bias, c.z, c.k);
    affine_forward<B>(p.value, p.value_bias, c.z, c.v);
    gated_activation_forward<B, activation::Mish>(c.k, c.v, c.product);
    affine_forward<B>(p.weight, p.weight_bias, c.product, c.w);
    gate_forward<B>(c.r, c.w, c.y);
    return c.y;
  }

  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    auto& scratch = ctx.scratch;
    const auto frame = scratch.frame();
    const Seq seq = dy.seq;
    const auto dr = scratch.template take<Out>(seq), dw = scratch.template take<Out>(seq),
               dz = scratch.template take<In>(seq);
    const auto dk = scratch.template take<Inside>(seq), dv = scratch.template take<Inside>(seq);
    gate_backward<B>(c.r, c.w, dy, dr, dw);
    affine_backward<B>(scratch, p.weight, c.product, dw, dv, dp.weight, dp.weight_bias);
    gated_activation_backward<B, activation::Mish>(c.k, c.v, dv, dk, dv);
    affine_backward<B>(scratch, p.receptance, c.z, dr, dz, dp.receptance, dp.receptance_bias);
    affine_backward<B>(scratch, p.key, c.z, dk, dz, dp.key, dp.key_bias, true);
    affine_backward<B>(scratch, p.value, c.z, dv, dz, dp.value, dp.value_bias, true);
    partial_shift_backward<B, Activation>(c.x, c.start, dz, dx, ds.last);
  }
};

}  // namespace rwkv::v1
