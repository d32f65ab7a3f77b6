#pragma once
#include <rwkv/core/error.hpp>
#include <rwkv/layers/gpt2/attention_weights.hpp>
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/affine.hpp>
#include <rwkv/ops/attention.hpp>
#include <rwkv/ops/window.hpp>

namespace rwkv {

/// Causal softmax attention (Vaswani et al. 2017, arXiv 1706.03762): per head of D = C / Heads channels,
/// softmax(q . k / sqrt(D)) v, then the output projection. A token sees itself and the Window - 1 tokens before it
/// (a sliding window); its state is the ring of their keys and values, so training and decoding are one forward.
/// Weights says how checkpoints store the projections. Drop of 100 weights of the softmax are dropped in training.
template <dim_t C, int Heads, dim_t Window, class Weights = gpt2::FusedWeights<C>, int Drop = 0>
struct MultiHeadAttention {
  static_assert(Heads > 0 && C % (Heads > 0 ? Heads : 1) == 0,
                "MultiHeadAttention: the width must be a multiple of the number of heads");
  static_assert(Window > 0, "MultiHeadAttention: the window must hold at least one token, since a token sees itself");
  static_assert(0 <= Drop && Drop < 100,
                "MultiHeadAttention: the share of weights that is dropped must lie between 0 and 100 percent");
  using In = Shape<Batch, Time, C>;
  using Out = In;
  static constexpr dim_t head_width = C / (Heads > 0 ? Heads : 1);
  static constexpr dim_t flops = 2 * 4 * C * C + 2 * 2 * Window * C;  // of a token that sees a full window

  template <class B>
  using Params = typename Weights::template Params<B>;
  template <class B>
  struct State {
    Tensor<B, Batch, Window, C> key, value;  // the token of position s in row s % Window
    Tensor<B, Batch, 1> position;            // tokens seen; from the second window on, without whole windows
    static constexpr void fields(auto&& f, auto&&... s) {
      f(Field{"key"}, s.key...);
      f(Field{"value"}, s.value...);
      f(Field{"position"}, s.position...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 2;
    TensorOf<B, In> x;
    DropoutStream dropped;
    Tensor<B, Batch, Time, C> q, k, v, attended;
    Tensor<Accum<B>, Batch, Time, Heads, 2> softmax;  // see attention_forward
    State<Accum<B>> start;                            // before the call
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"q"}, c.q...);
      f(Field{"k"}, c.k...);
      f(Field{"v"}, c.v...);
      f(Field{"attended"}, c.attended...);
      f(Field{"softmax"}, c.softmax...);
      f(Field{"start"}, c.start...);
      f(Field{"y"}, c.y...);
    }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    if (s.position.seq.batch != x.seq.batch)
      throw Error("MultiHeadAttention: expected a state of ", x.seq.batch, " sequences, found one of ",
                  s.position.seq.batch, "; make it with fresh_state(", x.seq.batch, ")");
    c.x = x;
    project<B>(ctx.scratch, p.query(), x, c.q);
    project<B>(ctx.scratch, p.key(), x, c.k);
    project<B>(ctx.scratch, p.value(), x, c.v);
    if (ctx.needs_backward)
      window_copy<Accum<B>>(s.key, s.value, s.position, c.start.key, c.start.value, c.start.position);
    if constexpr (Drop > 0) c.dropped = ctx.dropout.next();
    with_drops<Drop>(c.dropped, Heads, [&](auto drops) {
      attention_forward<B, Heads, head_width>(ctx.scratch, c.q, c.k, c.v, s.key, s.value, s.position, c.attended,
                                              c.softmax, drops);
    });
    window_forward<B>(c.k, c.v, s.key, s.value, s.position);
    project<B>(ctx.scratch, p.output(), c.attended, c.y);
    return c.y;
  }

  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    auto& scratch = ctx.scratch;
    const auto frame = scratch.frame();
    const auto dq = scratch.template take<In>(dy.seq), dk = scratch.template take<In>(dy.seq),
               dv = scratch.template take<In>(dy.seq);
    {
      const auto inner = scratch.frame();
      const auto dattended = scratch.template take<In>(dy.seq);
      const auto kept_k = scratch.template accum<In>(dy.seq), kept_v = scratch.template accum<In>(dy.seq);
      project_backward<B>(scratch, p.output(), c.attended, dy, dattended, dp.output());
      window_backward<Accum<B>>(c.start.position, ds.key, ds.value, kept_k, kept_v);
      with_drops<Drop>(c.dropped, Heads, [&](auto drops) {
        attention_backward<B, Heads, head_width>(scratch, c.q, c.k, c.v, c.start.key, c.start.value, c.start.position,
                                                 c.attended, c.softmax, dattended, dq, dk, dv, ds.key, ds.value, drops);
      });
      window_backward_add<B, Window>(kept_k, kept_v, dk, dv);
    }
    Accum<B>::fill(ds.position.data, ds.position.size(), 0);
    project_backward<B>(scratch, p.query(), c.x, dq, dx, dp.query());
    project_backward<B>(scratch, p.key(), c.x, dk, dx, dp.key(), true);
    project_backward<B>(scratch, p.value(), c.x, dv, dx, dp.value(), true);
  }

 private:
  template <class B>
  static void project(Scratch<B>& scratch, gpt2::Projection<B, C> p, TensorOf<B, In> x, TensorOf<B, In> y) {
    affine_forward<B>(scratch, p.weight, p.bias, x, y);
  }
  template <class B>
  static void project_backward(Scratch<B>& scratch, gpt2::Projection<B, C> p, TensorOf<B, In> x, TensorOf<B, In> dy,
                               TensorOf<B, In> dx, gpt2::Projection<Accum<B>, C> dp, bool add_to_dx = false) {
    affine_backward<B>(scratch, p.weight, x, dy, dx, dp.weight, dp.bias, add_to_dx);
  }
};

}  // namespace rwkv
