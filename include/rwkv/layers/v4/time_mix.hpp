#pragma once
#include <rwkv/layers/layer.hpp>
#include <rwkv/layers/v4/init.hpp>
#include <rwkv/ops/linear.hpp>
#include <rwkv/ops/pointwise.hpp>
#include <rwkv/ops/token_shift.hpp>
#include <rwkv/ops/wkv4.hpp>

namespace rwkv::v4 {

/// RWKV-4's attention (Peng et al. 2023, arXiv 2305.13048): k, v, r from lerps of a token with the one before it;
/// out = W_o (sigmoid(r) wkv(k, v)). C channels in and out, A inside. How says how wkv goes over time.
template <dim_t C, dim_t A = C, OverTime How = OverTime::automatic>
struct TimeMix {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  static constexpr dim_t flops = 2 * 4 * C * A + 16 * A;  // per channel: 2 maxima, 2 exponentials, 12 products and sums

  template <class B>
  struct Params {
    Tensor<B, A> time_decay, time_first;
    Tensor<B, 1, 1, C> time_mix_k, time_mix_v, time_mix_r;
    Tensor<B, A, C> key, value, receptance;
    Tensor<B, C, A> output;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{.name = "time_decay", .init = v4::time_decay, .lr_scale = 2}, p.time_decay...);
      f(Field{.name = "time_first", .init = v4::time_first, .lr_scale = 3}, p.time_first...);
      f(Field{"time_mix_k", time_mix}, p.time_mix_k...);
      f(Field{"time_mix_v", time_mix_value}, p.time_mix_v...);
      f(Field{"time_mix_r", time_mix_gate}, p.time_mix_r...);
      f(Field{"key.weight", init::zeros, true}, p.key...);
      f(Field{"value.weight", init::orthogonal(), true}, p.value...);
      f(Field{"receptance.weight", init::zeros, true}, p.receptance...);
      f(Field{"output.weight", init::zeros, true}, p.output...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 1;
    TensorOf<B, In> x;
    Tensor<Accum<B>, Batch, C> start;  // the token before the first
    Tensor<B, Batch, Time, C> xk, xv, xr;
    Tensor<B, Batch, Time, A> k, v, r, wkv;
    Tensor<Accum<B>, Batch, Spans, 3, A> past;  // before every span
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"xk"}, c.xk...);
      f(Field{"xv"}, c.xv...);
      f(Field{"xr"}, c.xr...);
      f(Field{"k"}, c.k...);
      f(Field{"v"}, c.v...);
      f(Field{"r"}, c.r...);
      f(Field{"wkv"}, c.wkv...);
      f(Field{"past"}, c.past...);
      f(Field{"y"}, c.y...);
    }
  };
  template <class B>
  struct State {
    Tensor<B, Batch, C> last;     // the last token this layer saw
    Tensor<B, Batch, 3, A> past;  // aa, bb, pp: sums aa e^pp and bb e^pp
    static constexpr void fields(auto&& f, auto&&... s) {
      f(Field{"last"}, s.last...);
      f(Field{"past", empty_past}, s.past...);
    }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    const auto frame = ctx.scratch.frame();
    c.x = x;
    Accum<B>::copy(c.start.data, s.last.data, s.last.size());
    token_shift_forward<B>(ctx.scratch, mixes<B>(p), x, s.last, std::array{c.xk, c.xv, c.xr});
    linear_forward<B>(p.key, c.xk, c.k);
    linear_forward<B>(p.value, c.xv, c.v);
    linear_forward<B>(p.receptance, c.xr, c.r);
    over_time([&](auto... how) {
      wkv4_forward<B>(ctx.scratch, p.time_decay, p.time_first, c.k, c.v, c.wkv, s.past, c.past, how...);
    });
    const auto gated = ctx.scratch.template take<Shape<Batch, Time, A>>(x.seq);
    gate_forward<B>(c.r, c.wkv, gated);
    linear_forward<B>(p.output, gated, c.y);
    return c.y;
  }

  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    using Inside = Shape<Batch, Time, A>;
    auto& scratch = ctx.scratch;
    const auto frame = scratch.frame();
    const Seq seq = dy.seq;
    const auto dr = scratch.template take<Inside>(seq), dk = scratch.template take<Inside>(seq),
               dv = scratch.template take<Inside>(seq);
    {
      const auto inner = scratch.frame();
      const auto gated = scratch.template take<Inside>(seq), dwkv = scratch.template take<Inside>(seq);
      B::matmul(Op::none, Op::none, seq.tokens(), A, C, dy.data, p.output.data, dwkv.data, 0);
      gate_backward<B>(c.r, c.wkv, dwkv, dr, dwkv, gated);
      B::matmul(Op::transpose, Op::none, C, A, seq.tokens(), dy.data, gated.data, dp.output.data, 1);
      over_time([&](auto... how) {
        wkv4_backward<B>(scratch, p.time_decay, p.time_first, c.k, c.v, c.past, dwkv, dk, dv, dp.time_decay,
                         dp.time_first, ds.past, how...);
      });
    }
    const auto dxk = scratch.template take<In>(seq), dxv = scratch.template take<In>(seq),
               dxr = scratch.template take<In>(seq);
    linear_backward<B>(p.key, c.xk, dk, dxk, dp.key);
    linear_backward<B>(p.value, c.xv, dv, dxv, dp.value);
    linear_backward<B>(p.receptance, c.xr, dr, dxr, dp.receptance);
    token_shift_backward<B>(scratch, mixes<B>(p), c.x, c.start, std::array{dxk, dxv, dxr}, dx, mixes<Accum<B>>(dp),
                            ds.last);
  }

 private:
  /// f(How), or f() where the op is to choose.
  static void over_time(const auto& f) {
    if constexpr (How == OverTime::automatic)
      f();
    else
      f(How);
  }
  template <class B>
  static auto mixes(const Params<B>& p) {
    return std::array{p.time_mix_k, p.time_mix_v, p.time_mix_r};
  }
};

}  // namespace rwkv::v4
