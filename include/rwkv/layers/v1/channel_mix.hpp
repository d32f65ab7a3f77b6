#pragma once
#include <rwkv/layers/affine.hpp>
#include <rwkv/layers/child.hpp>
#include <rwkv/layers/v1/init.hpp>
#include <rwkv/ops/gated_activation.hpp>
#include <rwkv/ops/partial_shift.hpp>

namespace rwkv::v1 {

/// A projection of RWKV-1, with a bias; both start as PyTorch's layers do.
template <dim_t Inputs, dim_t Outputs>
using Projection = Affine<Inputs, Outputs, linear_weight, LinearBias<Inputs>>;

/// RWKV-1's feed-forward part: z = A(half a token, half the one before), out = sigmoid(R z) W(mish(K z) V z); F
/// channels inside.
template <dim_t C, dim_t F, class Activation>
struct ChannelMix {
  static constexpr dim_t half = C / 2;
  using In = Shape<Batch, Time, C>;
  using Out = In;
  using Inside = Shape<Batch, Time, F>;
  using Receptance = Projection<C, C>;
  using Key = Projection<C, F>;
  using Value = Key;
  using Weight = Projection<F, C>;
  static constexpr dim_t flops = Receptance::flops + Key::flops + Value::flops + Weight::flops;

  template <class B>
  struct Params {
    typename Receptance::template Params<B> receptance;
    typename Key::template Params<B> key;
    typename Value::template Params<B> value;
    typename Weight::template Params<B> weight;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"Receptance"}, p.receptance...);
      f(Field{"Key"}, p.key...);
      f(Field{"Value"}, p.value...);
      f(Field{"Weight"}, p.weight...);
    }
  };
  template <class B>
  struct State {
    Tensor<B, Batch, half> last;  // half of the last token this layer saw
    static constexpr void fields(auto&& f, auto&&... s) { f(Field{"last"}, s.last...); }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 5;
    TensorOf<B, In> x;
    TensorOf<B, Out> r, w;
    TensorOf<B, Inside> k, v;
    Tensor<Accum<B>, Batch, half> start;  // of the token before the first
    TensorOf<B, In> z;
    TensorOf<B, Inside> product;
    typename Receptance::template Cache<B> receptance;
    typename Key::template Cache<B> key;
    typename Value::template Cache<B> value;
    typename Weight::template Cache<B> weight;
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"z"}, c.z...);
      f(Field{"product"}, c.product...);
      f(Field{"receptance"}, c.receptance...);
      f(Field{"key"}, c.key...);
      f(Field{"value"}, c.value...);
      f(Field{"weight"}, c.weight...);
      f(Field{"y"}, c.y...);
    }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    c.x = x;
    Accum<B>::copy(c.start.data, s.last.data, s.last.size());
    partial_shift_forward<B, Activation>(x, s.last, c.z);
    c.r = forward_child<Receptance>(ctx, p.receptance, c.z, c.receptance);
    c.k = forward_child<Key>(ctx, p.key, c.z, c.key);
    c.v = forward_child<Value>(ctx, p.value, c.z, c.value);
    gated_activation_forward<B, activation::Mish>(c.k, c.v, c.product);
    c.w = forward_child<Weight>(ctx, p.weight, c.product, c.weight);
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
    backward_child<Weight>(ctx, p.weight, c.weight, dw, dv, dp.weight);
    gated_activation_backward<B, activation::Mish>(c.k, c.v, dv, dk, dv);
    backward_child<Receptance>(ctx, p.receptance, c.receptance, dr, dz, dp.receptance);
    backward_child_add<Key>(ctx, p.key, c.key, dk, dz, dp.key);
    backward_child_add<Value>(ctx, p.value, c.value, dv, dz, dp.value);
    partial_shift_backward<B, Activation>(c.x, c.start, dz, dx, ds.last);
  }
};

}  // namespace rwkv::v1
